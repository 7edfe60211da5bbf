// The figures of a run as tables, with the aims and whether each is met.
import type { Summary } from '../speed/stats.ts';
import type { Measured, Way } from './measure.ts';
import { STEPS, type Step } from './steps.ts';

export interface Aim {
  readonly what: string;
  readonly aim: string;
  readonly is: string;
  readonly met: boolean;
}

const CREATE_MAX_MS = 5;
const QUEUE_MAX_MS = 15;
const CLAIMS_MIN_PER_SECOND = 200;
const CLI_MAX_MS = 300;

/** What the tasks of agents are to cost through MCP. Medians; a create may take a durable commit on top. */
export function aims(measured: Measured): Aim[] {
  const { floors, cli } = measured;
  const of = (step: Step) => stepOf(measured, 'MCP stdio, by hub', step)?.p50_ms ?? Number.NaN;
  const race = measured.races.find(({ way }) => way === 'MCP stdio, by hub');
  const create_max = CREATE_MAX_MS + floors.commit.p50_ms;
  const aim = (what: string, is: number, max: number): Aim => ({
    what,
    aim: `<= ${ms(max)} ms`,
    is: `${ms(is)} ms`,
    met: is <= max,
  });
  return [
    aim('create through MCP, p50', of('create'), create_max),
    aim('ready through MCP, p50', of('ready'), QUEUE_MAX_MS),
    aim('claim through MCP, p50', of('claim'), QUEUE_MAX_MS),
    {
      what: `${race?.claimers ?? 0} claimers`,
      aim: `>= ${CLAIMS_MIN_PER_SECOND} claims/s, none twice, none lost`,
      is: `${Math.round(race?.per_second ?? 0)} claims/s, ${race?.doubles} twice, ${race?.left} lost`,
      met: race !== undefined && race.per_second >= CLAIMS_MIN_PER_SECOND && race.doubles === 0 && race.left === 0,
    },
    aim('haivemind tasks ready, whole process, p50', cli.p50_ms, CLI_MAX_MS),
  ];
}

export function report(measured: Measured): string {
  const { size, floors, import_seconds, races, cli } = measured;
  const steps = measured.ways.flatMap(({ way, steps: own }) =>
    STEPS.flatMap((step) => {
      const summary = own.get(step);
      return summary
        ? [`| ${step} | ${way} | ${row(summary)} | ${ratio(summary, floors.commit)} | ${ratio(summary, floors.echo)} |`]
        : [];
    }),
  );
  return [
    `## Tasks: ${size.tasks} tasks, ${size.edges} dependencies`,
    `Floors, min / p50 / p95 ms: durable commit ${plain(floors.commit)}; MCP echo over stdio ${plain(floors.echo)}; start of Node ${plain(floors.start)}. The board was imported in ${import_seconds.toFixed(1)} s (${Math.round(size.tasks / import_seconds)} tasks/s).`,
    `| step | way | min ms | p50 | p95 | p50 in commits | in echoes |\n|---|---|---|---|---|---|---|\n${steps.join('\n')}`,
    `| claimers | way | claims | claims/s | given twice | not given |\n|---|---|---|---|---|---|\n${races
      .map((r) => `| ${r.claimers} | ${r.way} | ${r.claims} | ${Math.round(r.per_second)} | ${r.doubles} | ${r.left} |`)
      .join('\n')}`,
    `\`haivemind tasks ready\` beside the hub, whole process: ${plain(cli)} ms, ${ratio(cli, floors.start)} a start of Node.`,
    `| aim | | is | |\n|---|---|---|---|\n${aims(measured)
      .map(({ what, aim, is, met }) => `| ${what} | ${aim} | ${is} | ${met ? 'met' : 'NOT MET'} |`)
      .join('\n')}`,
  ].join('\n\n');
}

function stepOf(measured: Measured, way: Way, step: Step): Summary | undefined {
  return measured.ways.find((one) => one.way === way)?.steps.get(step);
}

function row({ min_ms, p50_ms, p95_ms }: Summary): string {
  return [min_ms, p50_ms, p95_ms].map(ms).join(' | ');
}

function plain({ min_ms, p50_ms, p95_ms }: Summary): string {
  return [min_ms, p50_ms, p95_ms].map(ms).join(' / ');
}

function ratio(summary: Summary, floor: Summary): string {
  return `${(summary.p50_ms / floor.p50_ms).toFixed(1)} x`;
}

function ms(value: number): string {
  return value < 10 ? value.toFixed(2) : value.toFixed(value < 100 ? 1 : 0);
}
