// `npm run bench:tasks`: the board under load, beside the floors of the same run. 10,000 tasks with 20,000 dependencies, in
// process and through MCP over stdio by a hub, 12 claimers at once, and the shell's `tasks ready` as a whole process.
// Run: node bench/tasks/run.ts [--quick] [--json file] [--entry other/dist/cli.js]
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ensureBuilt } from '../speed/place.ts';
import { FULL } from './board.ts';
import { measureTasks } from './measure.ts';
import { aims, report } from './report.ts';

const { values: flags } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, json: { type: 'string' }, entry: { type: 'string' } },
});
if (flags.entry) process.env.HAIVEMIND_BENCH_ENTRY = flags.entry;
ensureBuilt();

const size = flags.quick ? { tasks: 1_000, edges: 2_000 } : FULL;
const counts = flags.quick
  ? { calls: 20, whole: 3, ready: 120, starts: 3 }
  : { calls: 150, whole: 10, ready: 1_200, starts: 10 };
const measured = await measureTasks(size, counts, (text) => process.stderr.write(`${text}\n`));
console.log(report(measured));
if (flags.json)
  writeFileSync(
    flags.json,
    `${JSON.stringify({ measured: { ...measured, ways: measured.ways.map(({ way, steps }) => ({ way, steps: Object.fromEntries(steps) })) }, aims: aims(measured) }, null, 2)}\n`,
  );
