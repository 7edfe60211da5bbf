// The one way tests and benches reach the large data sets that live outside the repository.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const projectRoot = join(import.meta.dirname, '..');

/** Absolute path of a set such as `retrieval/ops-notes`, or undefined where the data is not on this machine. */
export function sharedData(name: string): string | undefined {
  const base = process.env.HAIVEMIND_SHARED_DATA ?? join(projectRoot, '..', 'shared', 'data');
  const path = join(base, name);
  return existsSync(path) ? path : undefined;
}
