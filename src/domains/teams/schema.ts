// Inputs and answers that the team operations share.
import { z } from 'zod';
import { idField } from '../../kernel/fields.ts';
import { TEAM_CAPABILITIES, TEAM_ROLES } from '../../kernel/operation.ts';

export const teamIdField = idField('Id of the team.');
export const userIdField = idField('The user.');
export const roleField = z.enum(TEAM_ROLES);

const KNOWN: ReadonlySet<string> = new Set(TEAM_CAPABILITIES);

export const capabilitiesField = z
  .record(z.string(), z.boolean())
  .superRefine((value, ctx) => {
    for (const name of Object.keys(value)) {
      if (KNOWN.has(name)) continue;
      const message = `is not a capability; there are ${TEAM_CAPABILITIES.join(', ')}`;
      ctx.addIssue({ code: 'custom', path: [name], message });
    }
  })
  .describe(`Given (true) or taken (false) whatever the role says: ${TEAM_CAPABILITIES.join(', ')}.`);

export const overridesSchema = z.record(z.string(), z.boolean()).describe('Capabilities that differ from the role.');

export const activitySchema = z
  .array(
    z.object({
      activity_id: z.string().describe('Id.'),
      at: z.string().describe('When.'),
      action: z.string().describe('What.'),
      user_id: z.string().describe('Who.'),
      agent_id: z.string().describe('Through which agent.'),
      machine_id: z.string().describe('Where.'),
      target_user_id: z.string().nullable().describe('To whom.'),
      details: z
        .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
        .describe('Further facts.'),
    }),
  )
  .describe('Newest first.');
