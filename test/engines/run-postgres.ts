// Starts the one PostgreSQL of a test run, before the first file of the project that runs on it.
import type { TestProject } from 'vitest/node';
import { startPostgres } from '../../scripts/engines/index.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where it is, or why there is none. */
    postgres_of_run: { readonly url: string } | { readonly error: string };
  }
}

/** Where it cannot be had, each file of the project fails by its name, and the other project still runs. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  try {
    const server = await startPostgres();
    project.provide('postgres_of_run', { url: server.url });
    return () => server.stop();
  } catch (error) {
    project.provide('postgres_of_run', { error: error instanceof Error ? error.message : String(error) });
    return undefined;
  }
}
