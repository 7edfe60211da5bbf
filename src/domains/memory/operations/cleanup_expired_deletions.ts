// cleanup_expired_deletions: empty what is due from the recycle bin and apply retention policies.
import { z } from 'zod';
import { DELETES, defineOperation } from '../../../kernel/operation.ts';
import { cleanUp } from '../rules/lifecycle.ts';
import { callerOf, type MemoryDeps } from '../service.ts';

const input = z.strictObject({});

const output = z.object({
  purged: z.number().describe('Destroyed: their 30 days were over.'),
  retired: z.number().describe('Moved to the recycle bin by retention policies.'),
  retired_by_policy: z
    .array(
      z.object({
        category: z.string().nullable().describe('Category of the policy.'),
        tag: z.string().nullable().describe('Tag of the policy.'),
        max_age_days: z.number().describe('Age it allows.'),
        count: z.number().describe('Memories it retired.'),
      }),
    )
    .describe('By policy of the configuration.'),
});

export const cleanupExpiredDeletions = defineOperation<MemoryDeps, typeof input, typeof output>({
  name: 'cleanup_expired_deletions',
  title: 'Clean up expired deletions',
  description:
    'Destroys your memories whose 30 days in the recycle bin are over and moves those past their retention policy there. A hub does so for everybody every hour.',
  toolset: 'lifecycle',
  input,
  output,
  effects: DELETES,
  permission: 'memory.delete',
  rest: { method: 'POST', path: '/memories/cleanup' },
  cli: { group: 'memory', verb: 'cleanup' },
  examples: [{ title: 'Now', input: {} }],
  async handle(deps, _input, ctx) {
    const report = await cleanUp(deps, callerOf(ctx), 'own');
    const retired_by_policy = report.retired_by_policy.map(({ policy, count }) => ({
      category: policy.category ?? null,
      tag: policy.tag ?? null,
      max_age_days: policy.max_age_days,
      count,
    }));
    return { purged: report.purged, retired: report.retired, retired_by_policy };
  },
  text: (out) => [{ kind: 'text', text: `${out.purged} destroyed, ${out.retired} retired by policy.` }],
});
