// Analytics against a reference that walks through time minute by minute and knows no spans and no interpolation.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toIso } from '../../kernel/clock.ts';
import { byAgent, byCapability, change, flowIn, openWork, weeksOf } from './analytics.ts';
import { type FlowRow, flowsOf } from './analytics-flows.ts';
import { hours, quantile, spreadOf } from './analytics-percentiles.ts';
import { isOver, nextOf, type Status } from './statuses.ts';

const MINUTE_MS = 60_000;
const START_MS = Date.UTC(2026, 0, 1);
const LENGTH_MINUTES = 400;
const AGENTS = ['a-one', 'b-two', 'c-three'];

interface Step {
  readonly minute: number;
  readonly status: Status;
  readonly agent: string;
  readonly expired: boolean;
}
interface Life {
  readonly steps: readonly Step[];
  readonly capabilities: readonly string[];
}

/** A task's way over the board: legal steps at rising minutes. */
const life: fc.Arbitrary<Life> = fc
  .record({
    gaps: fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 8 }),
    picks: fc.array(fc.nat(), { minLength: 8, maxLength: 8 }),
    agents: fc.array(fc.constantFrom(...AGENTS), { minLength: 8, maxLength: 8 }),
    capabilities: fc.subarray(['search', 'storage']),
  })
  .map(({ gaps, picks, agents, capabilities }) => {
    const steps: Step[] = [];
    let minute = 0;
    let status: Status = 'todo';
    for (const [i, gap] of gaps.entries()) {
      minute += gap;
      if (minute >= LENGTH_MINUTES) break;
      const before: Status = status;
      const next = nextOf(before);
      status = i === 0 ? 'todo' : (next[(picks[i] ?? 0) % next.length] ?? 'todo');
      const expired = before === 'in_progress' && status === 'todo';
      steps.push({ minute, status, agent: agents[i] ?? 'a-one', expired });
    }
    return { steps, capabilities };
  });

function rowsOf({ steps, capabilities }: Life, index: number): FlowRow[] {
  let before: Status | null = null;
  return steps.map(({ minute, status, agent, expired }, i) => {
    const row: FlowRow = {
      entry_id: `hist_${index}_${i}`,
      task_id: `task_${index}`,
      project_id: null,
      at: toIso(START_MS + minute * MINUTE_MS),
      action: i === 0 ? 'created' : expired ? 'lease_expired' : 'status',
      from_status: before,
      to_status: status,
      agent_id: agent,
      subject_agent_id: null,
      version: i + 1,
      details: i === 0 ? JSON.stringify({ required_capabilities: capabilities }) : null,
    };
    before = status;
    return row;
  });
}

const window = { from_ms: START_MS + 100 * MINUTE_MS, to_ms: START_MS + 300 * MINUTE_MS };
const inside = (minute: number) => minute >= 100 && minute < 300;

/** Status of a task during a minute. */
function statusAt({ steps }: Life, minute: number): Status | undefined {
  return steps.findLast((step) => step.minute <= minute)?.status;
}

/** Last finish of each task in the window, as the minute. */
function finishes(lives: readonly Life[]): readonly { life: Life; minute: number }[] {
  return lives.flatMap((one) => {
    const done = one.steps.filter(({ minute, status }) => status === 'done' && inside(minute)).at(-1);
    return done ? [{ life: one, minute: done.minute }] : [];
  });
}

function minutesIn(one: Life, from: number, to: number, statuses: readonly Status[]): number {
  let sum = 0;
  for (let minute = from; minute < to; minute++) if (statuses.includes(statusAt(one, minute) ?? 'backlog')) sum++;
  return sum;
}

describe('flow in a window, against the reference', () => {
  const lives = fc.array(life, { maxLength: 12 });

  test('counts and times are those of a walk through every minute', () => {
    fc.assert(
      fc.property(lives, fc.boolean(), (all, shuffled) => {
        const rows = all.flatMap(rowsOf);
        const flow = flowIn(flowsOf(shuffled ? rows.toReversed() : rows), window);
        const steps = all.flatMap(({ steps: own }) =>
          own.map((step, i) => ({ ...step, before: own[i - 1]?.status, first: i === 0 })),
        );
        const count = (match: (step: (typeof steps)[number]) => boolean) =>
          steps.filter((step) => inside(step.minute) && match(step)).length;
        expect(flow.created).toBe(count(({ first }) => first));
        expect(flow.failed).toBe(count(({ status }) => status === 'failed'));
        expect(flow.cancelled).toBe(count(({ status }) => status === 'cancelled'));
        expect(flow.lease_expiries).toBe(count(({ expired }) => expired));
        expect(flow.reopened).toBe(count(({ before, status }) => !!before && isOver(before) && !isOver(status)));
        const ends = finishes(all);
        expect(flow.finished).toBe(ends.length);
        const leads = ends.map(({ life: one, minute }) => minute - (one.steps[0]?.minute ?? 0));
        expect(flow.lead_time_hours).toEqual(spreadOf(leads.map((lead) => lead * MINUTE_MS)));
        const cycles = ends.flatMap(({ life: one, minute }) => {
          const begun = one.steps.find(({ status }) => status === 'in_progress')?.minute;
          return begun !== undefined && begun <= minute ? [{ one, begun, minute }] : [];
        });
        const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
        const cycle = sum(cycles.map(({ begun, minute }) => minute - begun));
        const blocked = sum(cycles.map(({ one, begun, minute }) => minutesIn(one, begun, minute, ['blocked'])));
        expect(flow.cycle_time_hours.count).toBe(cycles.length);
        expect(flow.blocked_hours).toBe(hours(blocked * MINUTE_MS));
        if (cycle === 0) expect(flow.blocked_share).toBeNull();
        else expect(flow.blocked_share).toBeCloseTo(blocked / cycle, 2);
        const active = sum(
          ends.map(({ life: one, minute }) =>
            minutesIn(one, one.steps[0]?.minute ?? 0, minute, ['in_progress', 'review']),
          ),
        );
        if (sum(leads) === 0) expect(flow.flow_efficiency).toBeNull();
        else expect(flow.flow_efficiency).toBeCloseTo(active / sum(leads), 2);
      }),
    );
  });

  test('open work is what is in no last column, with its age', () => {
    fc.assert(
      fc.property(lives, (all) => {
        const now = LENGTH_MINUTES;
        const open = openWork(flowsOf(all.flatMap(rowsOf)), START_MS + now * MINUTE_MS);
        const expected = all.flatMap((one) => {
          const status = statusAt(one, now);
          return status && !isOver(status) ? [{ one, status, age: now - (one.steps[0]?.minute ?? 0) }] : [];
        });
        expect(open.count).toBe(expected.length);
        expect(open.oldest[0]?.age_hours).toBe(
          expected.length === 0 ? undefined : hours(Math.max(...expected.map(({ age }) => age)) * MINUTE_MS),
        );
        for (const { status, count, blocked_hours } of open.by_status) {
          const own = expected.filter((task) => task.status === status);
          expect(count).toBe(own.length);
          const blocked = own.reduce((sum, { one }) => sum + minutesIn(one, 0, now, ['blocked']), 0);
          expect(blocked_hours).toBe(hours(blocked * MINUTE_MS));
        }
        expect(open.by_status.reduce((sum, { count }) => sum + count, 0)).toBe(open.count);
      }),
    );
  });

  test('agents together did what was done; capabilities hold the tasks that need them', () => {
    fc.assert(
      fc.property(lives, (all) => {
        const flows = flowsOf(all.flatMap(rowsOf));
        const whole = flowIn(flows, window);
        const agents = byAgent(flows, window);
        for (const field of ['created', 'failed', 'cancelled', 'lease_expiries'] as const)
          expect(agents.reduce((sum, agent) => sum + agent[field], 0)).toBe(whole[field]);
        for (const { name, ...flow } of byCapability(flows, window)) {
          const needing = all.map((one) => (one.capabilities.includes(name) ? one : { ...one, steps: [] }));
          expect(flow).toEqual(flowIn(flowsOf(needing.flatMap(rowsOf)), window));
        }
      }),
    );
  });

  test('weeks hold every event of the window once', () => {
    fc.assert(
      fc.property(lives, fc.integer({ min: 1, max: 30 }), (all, scale) => {
        // Minutes stretched to hours and days, so that the window has many weeks.
        const rows = all.flatMap(rowsOf).map((row) => ({
          ...row,
          at: toIso(START_MS + (Date.parse(row.at) - START_MS) * scale * 24),
        }));
        const long = { from_ms: START_MS, to_ms: START_MS + 100 * 86_400_000 + 1 };
        const flows = flowsOf(rows);
        const weeks = weeksOf(flows, long);
        expect(weeks).toHaveLength(15);
        const count = (kind: string) =>
          flows.flatMap(({ events }) => events).filter((event) => event.kind === kind && event.at_ms < long.to_ms)
            .length;
        expect(weeks.reduce((sum, week) => sum + week.created, 0)).toBe(count('created'));
        expect(weeks.reduce((sum, week) => sum + week.finished, 0)).toBe(count('done'));
        for (const [i, week] of weeks.entries()) {
          const end_ms = weeks[i + 1]?.from_ms ?? long.to_ms;
          const own = flows
            .flatMap(({ events }) => events)
            .filter(({ at_ms }) => at_ms >= week.from_ms && at_ms < end_ms);
          expect(week.created).toBe(own.filter(({ kind }) => kind === 'created').length);
        }
      }),
    );
  });
});

describe('percentiles', () => {
  test('of 1 to 5 and of 15, 20, 35, 40, 50, as R and NumPy give them by default', () => {
    expect(quantile([1, 2, 3, 4, 5], 0.5)).toBe(3);
    expect(quantile([15, 20, 35, 40, 50], 0.4)).toBeCloseTo(29, 10);
    expect(quantile([10, 20], 0.85)).toBeCloseTo(18.5, 10);
    expect(quantile([7], 0.95)).toBe(7);
    expect(quantile([], 0.5)).toBeUndefined();
  });

  test('lie between the values beside their rank and rise with it', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { minLength: 1 }), (values) => {
        const sorted = Float64Array.from(values).sort();
        const [low = 0, high = 0] = [quantile(sorted, 0.5), quantile(sorted, 0.95)];
        expect(high).toBeGreaterThanOrEqual(low);
        expect(sorted.filter((value) => value <= low).length).toBeGreaterThanOrEqual(
          Math.floor((values.length + 1) / 2),
        );
      }),
    );
  });
});

test('a deleted task is open no more, and its claim counts for whom it was taken from', () => {
  const at = (minute: number) => toIso(START_MS + minute * MINUTE_MS);
  const base = { task_id: 't', project_id: null, from_status: null, to_status: null, subject_agent_id: null };
  const rows: FlowRow[] = [
    {
      ...base,
      entry_id: '1',
      at: at(0),
      action: 'created',
      to_status: 'todo',
      agent_id: 'm',
      version: 1,
      details: '{}',
    },
    {
      ...{ ...base, entry_id: '2', at: at(5), action: 'claimed', from_status: 'todo', to_status: 'in_progress' },
      ...{ agent_id: 'w', version: 2, details: null },
    },
    {
      ...{ ...base, entry_id: '3', at: at(9), action: 'lease_expired', from_status: 'in_progress', to_status: 'todo' },
      ...{ agent_id: 'm', subject_agent_id: 'w', version: 3, details: null },
    },
    { ...base, entry_id: '4', at: at(20), action: 'deleted', agent_id: 'm', version: 4, details: null },
  ];
  const flows = flowsOf(rows);
  const whole = { from_ms: START_MS, to_ms: START_MS + 60 * MINUTE_MS };
  expect(openWork(flows, whole.to_ms).count).toBe(0);
  expect(byAgent(flows, whole).map(({ name, lease_expiries }) => [name, lease_expiries])).toEqual([
    ['m', 0],
    ['w', 1],
  ]);
});

test('change is a share of what was before', () => {
  expect(change(15, 10)).toBe(0.5);
  expect(change(5, 0)).toBeNull();
  expect(change(null, 3)).toBeNull();
});
