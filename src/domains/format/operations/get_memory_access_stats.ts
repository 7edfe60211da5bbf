// get_memory_access_stats: how this session used the tools.
import { z } from 'zod';
import { defineOperation, READS } from '../../../kernel/operation.ts';
import type { Sessions } from '../../identity/index.ts';

const input = z.strictObject({});

const output = z.object({
  session: z.string().describe('Key of this session.'),
  started_at: z.string().describe('First call.'),
  last_seen_at: z.string().describe('Latest call.'),
  format_guide_sent_at: z.string().nullable().describe('When the session was given the format guide.'),
  total_calls: z.number().describe('Calls so far.'),
  tools: z
    .array(
      z.object({
        tool: z.string().describe('Name.'),
        calls: z.number().describe('Calls.'),
        failures: z.number().describe('Calls that failed.'),
        first_at: z.string().describe('First.'),
        last_at: z.string().describe('Latest.'),
      }),
    )
    .describe('Counts by tool.'),
});

export const getMemoryAccessStats = defineOperation<{ readonly sessions: Sessions }, typeof input, typeof output>({
  name: 'get_memory_access_stats',
  title: 'Memory access statistics',
  description: 'Shows how often and when the current session used each tool, and when it was given the format guide.',
  toolset: 'format',
  input,
  output,
  effects: READS,
  permission: 'memory.read',
  rest: { method: 'GET', path: '/format/access-stats' },
  cli: {
    group: 'format',
    verb: 'access-stats',
    table: { rows: 'tools', columns: ['tool', 'calls', 'failures', 'last_at'] },
  },
  examples: [{ title: 'Statistics of this session', input: {} }],
  async handle({ sessions }, _input, ctx) {
    const state = await sessions.state(ctx);
    return {
      session: state.session_key,
      started_at: state.started_at,
      last_seen_at: state.last_seen_at,
      format_guide_sent_at: state.guide_sent_at,
      total_calls: state.calls.reduce((sum, entry) => sum + entry.calls, 0),
      tools: state.calls.map(({ operation, ...counts }) => ({ tool: operation, ...counts })),
    };
  },
  text(out) {
    const lines = out.tools.map(
      (tool) => `${tool.tool}: ${tool.calls} calls, ${tool.failures} failed, last ${tool.last_at}`,
    );
    return [
      { kind: 'text', text: [`Session since ${out.started_at}: ${out.total_calls} calls.`, ...lines].join('\n') },
    ];
  },
});
