// Makes the engines that the tests run on available: run by setup.mjs before the tests. What cannot be had is said in
// one message and fails later, in the suites that need it.
import { installDebianPackages } from './engines/apt.ts';
import { enginePackages } from './engines/packages.ts';
import { aptCommand, PROGRAMS, type Program } from './engines/programs.ts';
import { type EngineName, PACKAGE_ENGINES, skippedEngines } from './engines/skipped.ts';

function prepare(skipped: readonly EngineName[]): void {
  const wanted = PROGRAMS.filter((program) => !skipped.includes(program.engine));
  const missing = missingOf(wanted);
  if (missing.length > 0) installPrograms(missing);
  if (PACKAGE_ENGINES.every((engine) => skipped.includes(engine))) return;
  try {
    enginePackages(say);
  } catch (error) {
    say(`${error instanceof Error ? error.message : String(error)}\n${consequence(PACKAGE_ENGINES)}`);
  }
}

function installPrograms(missing: readonly Program[]): void {
  const packages = [...new Set(missing.map((program) => program.debian_package))];
  say(`installing for the tests, by apt-get: ${packages.join(', ')} (their services are not started)`);
  const trouble = installDebianPackages(packages);
  const left = missingOf(missing);
  if (left.length === 0) return;
  const names = left.map((program) => program.name).join(' and ');
  const reason = trouble ?? 'the packages of this system are too old';
  const command = aptCommand([...new Set(left.map((program) => program.debian_package))]);
  say(
    `${names} could not be installed: ${reason}\n${consequence(
      left.map((program) => program.engine),
      command,
    )}`,
  );
}

function consequence(engines: readonly EngineName[], command?: string): string {
  const names = [...new Set(engines)].join(',');
  const install = command === undefined ? '' : ` Install by hand: ${command}\n`;
  return `${install} The suites that need them will fail; to leave them out: HAIVEMIND_TEST_SKIP_ENGINES=${names}`;
}

function missingOf(programs: readonly Program[]): Program[] {
  return programs.filter((program) => program.find() === undefined);
}

function say(text: string): void {
  process.stdout.write(`haivemind: ${text}\n`);
}

try {
  prepare(skippedEngines(process.env.HAIVEMIND_TEST_SKIP_ENGINES));
} catch (error) {
  process.stderr.write(`\nerror: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
