// get_task_analytics: how work flows, from the history of tasks alone.
import { z } from 'zod';
import { toIso } from '../../../kernel/clock.ts';
import { idField } from '../../../kernel/fields.ts';
import { limits } from '../../../kernel/limits.ts';
import { defineOperation, READS } from '../../../kernel/operation.ts';
import { byAgent, byCapability, change, type Flow, flowIn, openWork, weeksOf } from '../analytics.ts';
import { PERCENTILES_NOTE } from '../analytics-percentiles.ts';
import { readFlows } from '../analytics-query.ts';
import type { TaskDeps } from '../deps.ts';
import { statusField } from '../schema.ts';

const DAY_MS = 86_400_000;

const input = z.strictObject({
  days: z.number().int().min(1).max(limits.task_analytics_days_max).default(30).describe('Window, back from now.'),
  project_id: idField('Only this project.').optional(),
  agent_id: idField('Only what this agent did.').optional(),
  capability: z
    .string()
    .trim()
    .toLowerCase()
    .min(1)
    .max(limits.tag_length_max_chars)
    .describe('Only tasks that need it.')
    .optional(),
});

const count = (what: string) => z.number().describe(what);
const share = (what: string) => z.number().nullable().describe(what);
const spread = (what: string) =>
  z.object({ count: count('Tasks.'), p50: share('Median.'), p85: share('85%.'), p95: share('95%.') }).describe(what);

const flowFields = {
  created: count('Created.'),
  finished: count('Done.'),
  failed: count('Failed.'),
  cancelled: count('Cancelled.'),
  reopened: count('Open again after their end.'),
  lease_expiries: count('Claims whose lease ran out.'),
  finished_per_day: count('Throughput.'),
  finished_per_week: count('Throughput.'),
  lead_time_hours: spread('Created to done.'),
  cycle_time_hours: spread('First in progress to done.'),
  blocked_hours: count('In blocked, of tasks finished.'),
  blocked_share: share('Of their cycle time.'),
  flow_efficiency: share('In progress and review, of lead time.'),
};

const output = z.object({
  from: z.string().describe('Window begins.'),
  to: z.string().describe('Window ends.'),
  ...flowFields,
  open: z
    .object({
      count: count('Open tasks now.'),
      by_status: z
        .array(
          z.object({
            status: statusField,
            count: count('Tasks.'),
            age_p50_hours: count('Median age.'),
            age_p95_hours: count('95% are younger.'),
            blocked_hours: count('Spent in blocked so far.'),
          }),
        )
        .describe('Ageing by column.'),
      oldest: z
        .array(
          z.object({
            task_id: z.string().describe('Task.'),
            status: statusField,
            age_hours: count('Since created.'),
            in_status_hours: count('In this column.'),
          }),
        )
        .describe('Oldest first.'),
    })
    .describe('Work not over.'),
  trend: z
    .object({
      previous: z.object(flowFields).describe('The window before.'),
      created_change: share('Against it, as a share.'),
      finished_change: share('Against it.'),
      lead_time_p50_change: share('Against it.'),
      cycle_time_p50_change: share('Against it.'),
      weeks: z
        .array(z.object({ from: z.string().describe('Begins.'), created: count('Created.'), finished: count('Done.') }))
        .describe('Back from now; the first may be shorter.'),
    })
    .describe('How it changes.'),
  agents: z
    .array(z.object({ agent_id: z.string().describe('Agent.'), ...flowFields }))
    .describe('By who worked on it.'),
  capabilities: z
    .array(z.object({ capability: z.string().describe('Needed.'), ...flowFields }))
    .describe('By capability needed.'),
  percentiles: z.string().describe('How percentiles are made.'),
});

type Output = z.output<typeof output>;

export const getTaskAnalytics = defineOperation<TaskDeps, typeof input, typeof output>({
  name: 'get_task_analytics',
  title: 'Task analytics',
  description:
    'Throughput, lead and cycle times, ageing, blocked time, expired leases and trends of tasks you may see, by agent and capability.',
  toolset: 'tasks',
  input,
  output,
  effects: READS,
  permission: 'task.read',
  rest: { method: 'GET', path: '/tasks/analytics' },
  cli: { group: 'tasks', verb: 'analytics' },
  examples: [{ title: 'The last month', input: { days: 30 } }],
  async handle({ store }, { days, ...wanted }, { principal }) {
    const now_ms = store.clock.now();
    // What happens in this very millisecond has happened.
    const window = { from_ms: now_ms - days * DAY_MS, to_ms: now_ms + 1 };
    const earlier = { from_ms: window.from_ms - days * DAY_MS, to_ms: window.from_ms };
    const flows = await readFlows(store.db, principal, { ...wanted, since: toIso(earlier.from_ms) });
    const now = flowIn(flows, window, wanted.agent_id);
    const previous = flowIn(flows, earlier, wanted.agent_id);
    const own = wanted.agent_id;
    const mine = own === undefined ? flows : flows.filter(({ worker }) => worker === own);
    return {
      from: toIso(window.from_ms),
      to: toIso(now_ms),
      ...now,
      open: openWork(mine, now_ms) as Output['open'],
      trend: {
        previous,
        created_change: change(now.created, previous.created),
        finished_change: change(now.finished, previous.finished),
        lead_time_p50_change: change(now.lead_time_hours.p50, previous.lead_time_hours.p50),
        cycle_time_p50_change: change(now.cycle_time_hours.p50, previous.cycle_time_hours.p50),
        weeks: weeksOf(flows, window, own).map(({ from_ms, ...counts }) => ({ from: toIso(from_ms), ...counts })),
      },
      agents: byAgent(flows, window, own).map(({ name, ...flow }) => ({ agent_id: name, ...flow })),
      capabilities: byCapability(flows, window, own).map(({ name, ...flow }) => ({ capability: name, ...flow })),
      percentiles: PERCENTILES_NOTE,
    };
  },
  text(out) {
    const lines = [
      `${out.from.slice(0, 10)} to ${out.to.slice(0, 10)}: ${sentence(out)}`,
      `Before: ${sentence(out.trend.previous)}`,
      `Open now: ${out.open.count}${out.open.by_status.map((at) => `; ${at.status} ${at.count}, median age ${at.age_p50_hours} h`).join('')}`,
    ];
    const oldest = out.open.oldest.map((task) => `${task.task_id} (${task.status}, ${task.age_hours} h)`);
    if (oldest.length > 0) lines.push(`Oldest: ${oldest.join(', ')}`);
    return [{ kind: 'text', text: lines.join('\n') }];
  },
});

function sentence(flow: Flow): string {
  const { lead_time_hours: lead, cycle_time_hours: cycle } = flow;
  return [
    `${flow.created} created, ${flow.finished} done (${flow.finished_per_week} a week), ${flow.failed} failed`,
    `lead time ${lead.p50 ?? '-'} h (85% ${lead.p85 ?? '-'}), cycle time ${cycle.p50 ?? '-'} h (85% ${cycle.p85 ?? '-'})`,
    `blocked ${flow.blocked_hours} h, ${flow.reopened} reopened, ${flow.lease_expiries} leases ran out`,
  ].join('; ');
}
