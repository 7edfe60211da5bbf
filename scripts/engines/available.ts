// Whether an engine can be had on this machine, found out without starting it.
import { enginePackages } from './packages.ts';
import { PROGRAMS } from './programs.ts';
import { type EngineName, PACKAGE_ENGINES } from './skipped.ts';

/** Why this engine cannot be started here, beginning with its name; undefined where it can. */
export function missingEngine(engine: EngineName): string | undefined {
  const programs = PROGRAMS.filter((program) => program.engine === engine && program.find() === undefined);
  if (programs.length > 0) return `${engine}: ${programs.map(({ name }) => name).join(' and ')} not found`;
  if (!PACKAGE_ENGINES.includes(engine)) return undefined;
  try {
    enginePackages();
    return undefined;
  } catch (error) {
    return `${engine}: ${error instanceof Error ? error.message : String(error)}`;
  }
}
