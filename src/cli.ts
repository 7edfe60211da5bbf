#!/usr/bin/env node
// The `haivemind` command. Nothing is imported statically and the syntax is old, so that a Node that is too old can say so.
const NODE_MAJOR_MIN = 24;

if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR_MIN) {
  process.stderr.write(
    `haivemind needs Node.js ${NODE_MAJOR_MIN} or later, this is ${process.version}: in a clone use node_modules/.bin/node, elsewhere install it from https://nodejs.org\n`,
  );
  process.exitCode = 1;
} else {
  start();
}

async function start(): Promise<void> {
  cacheCompiledCode();
  const { runProcess } = await import('./surfaces/cli/entry.ts');
  await runProcess({
    entryPath: import.meta.filename,
    openRuntime: async (config, options) => (await import('./compose.ts')).openRuntime(config, options),
    restore: async (config, path, how) => (await import('./compose.ts')).restoreStore(config, path, how),
    moveStore: async (config, request) => (await import('./compose.ts')).moveStore(config, request),
    loadOperations: async () => (await import('./domains/operations.ts')).operationDefinitions,
  });
}

/**
 * Keeps V8's compiled code between starts: beside the bundle where the build made a place for it, else in the
 * user's cache directory. Node ignores a place it cannot write to.
 */
function cacheCompiledCode(): void {
  if (!import.meta.filename.endsWith('.js')) return;
  const { existsSync } = process.getBuiltinModule('node:fs');
  const { join, dirname } = process.getBuiltinModule('node:path');
  const { homedir } = process.getBuiltinModule('node:os');
  const besideBundle = join(dirname(import.meta.filename), '.compile-cache');
  const ofUser = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'haivemind', 'compile');
  process.getBuiltinModule('node:module').enableCompileCache(existsSync(besideBundle) ? besideBundle : ofUser);
}
