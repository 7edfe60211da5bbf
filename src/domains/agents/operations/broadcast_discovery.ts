// broadcast_discovery: what one agent found out, remembered and told to all it concerns.
import { z } from 'zod';
import { defineOperation, WRITES } from '../../../kernel/operation.ts';
import { newMemorySchema } from '../../memory/index.ts';
import type { AgentDeps } from '../deps.ts';
import { broadcast, SEVERITIES } from '../discovery.ts';
import { bodyField } from '../schema.ts';

const input = z.strictObject({
  message: bodyField.describe('What was found out.'),
  // A memory's; their list stands with the tools of memory.
  category: z.string().default('global').pipe(newMemorySchema.shape.category.unwrap()).describe('Kind of knowledge.'),
  severity: z.enum(SEVERITIES).default('info').describe('How bad it is.'),
  scope: z.enum(['solo', 'team', 'shared']).describe('Who hears of it.').optional(),
});

const output = z.object({
  memory_id: z.string().describe('Where it is remembered.'),
  created: z.boolean().describe('False: it was remembered already.'),
  concerned: z.number().describe('Agents it concerns.'),
  told: z.number().describe('Have it in their inbox since now.'),
  known: z.number().describe('Were told before.'),
  redacted: z.array(z.string()).describe('Kinds of secrets replaced.'),
});

export const broadcastDiscovery = defineOperation<AgentDeps, typeof input, typeof output>({
  name: 'broadcast_discovery',
  title: 'Broadcast discovery',
  description: 'Remembers a finding and tells it to every agent of yours, or of the team.',
  toolset: 'agents',
  input,
  output,
  effects: { ...WRITES, idempotent: true },
  permission: 'agent.write',
  rest: { method: 'POST', path: '/agents/discoveries', status: 201 },
  cli: { group: 'agent', verb: 'broadcast', positional: ['message'] },
  examples: [
    {
      title: 'A leak that was found',
      input: { message: 'Found memory leak in scraper service', category: 'infrastructure', severity: 'warning' },
    },
  ],
  async handle(deps, discovery, ctx) {
    const { redacted, ...done } = await broadcast(deps, discovery, ctx);
    return { ...done, redacted: [...redacted] };
  },
  text({ memory_id, concerned, told, known, redacted }) {
    const before = known > 0 ? `, ${known} knew it` : '';
    const untold = concerned - told - known;
    const left = untold > 0 ? `, ${untold} were not told (full inbox, or too many at once)` : '';
    const secrets = redacted.length > 0 ? ` Secrets were replaced: ${[...new Set(redacted)].join(', ')}.` : '';
    return [
      {
        kind: 'text',
        text: `Remembered as ${memory_id}; told ${told} of ${concerned} agents${before}${left}.${secrets}`,
      },
    ];
  },
});
