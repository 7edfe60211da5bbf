// Bundles the product into dist/: cli.js, the embedding worker and the chunks they load on demand.
// Bundled because a cold start that resolves hundreds of files in node_modules takes several times as long.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type OutputChunk, rolldown } from 'rolldown';
import { STAMP_FILE, sourceHash } from './source-hash.mjs';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
/** Chunks of earlier builds stay this long: a hub started from them may not have loaded all of them yet. */
const OLD_CHUNK_KEPT_MS = 24 * 60 * 60 * 1000;
/** Packages that carry native code or find files beside themselves; they are loaded from node_modules. */
const EXTERNAL = [/^@napi-rs\/keyring$/, /^onnxruntime-node$/, /^sqlite-vec$/, /^onnxruntime-web$/];

const ENTRIES = {
  cli: 'src/cli.ts',
  'embedding-worker': 'src/storage/embedding/worker.ts',
  'vector-fit-worker': 'src/storage/vectors/fit-worker.ts',
};

const INITIALIZE = {
  protocolVersion: '2025-06-18',
  capabilities: {},
  clientInfo: { name: 'build', version: '0' },
};

await build(process.argv.includes('--clean'));

async function build(clean: boolean): Promise<void> {
  const started = performance.now();
  // Taken before the build reads the files: an edit made meanwhile then leads to another build, never to a stale one.
  const stamp = sourceHash(root);
  if (clean) rmSync(dist, { recursive: true, force: true });
  mkdirSync(dist, { recursive: true });
  const staging = mkdtempSync(join(dist, '.staging-'));
  try {
    const chunks = await bundle(staging);
    publish(staging, chunks);
    removeOldChunks(new Set(chunks.map((chunk) => chunk.fileName)));
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
  writeFileSync(join(dist, STAMP_FILE), stamp);
  warmCompileCache();
  const took_ms = Math.round(performance.now() - started);
  console.log(`built dist/cli.js in ${took_ms} ms`);
}

async function bundle(staging: string): Promise<OutputChunk[]> {
  const input = Object.fromEntries(
    Object.entries(ENTRIES)
      .map(([name, path]) => [name, join(root, path)] as const)
      .filter(([, path]) => existsSync(path)),
  );
  const bundle = await rolldown({
    input,
    cwd: root,
    platform: 'node',
    external: EXTERNAL,
    treeshake: true,
    onLog(level, log, handle) {
      // A package that is not there would be found out by the first user only.
      if (log.code === 'UNRESOLVED_IMPORT') throw new Error(log.message);
      handle(level, log);
    },
  });
  const { output } = await bundle.write({
    dir: staging,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'chunk-[name]-[hash].js',
    sourcemap: false,
    // Names stay: stack traces in a log must be readable.
    minify: { compress: true, mangle: false, codegen: false },
    comments: { legal: true },
  });
  await bundle.close();
  return output.filter((file) => file.type === 'chunk');
}

/** Moves the files into dist/, entries last, so that no process ever starts on half a build. */
function publish(staging: string, chunks: readonly OutputChunk[]): void {
  const inOrder = [...chunks].sort((a, b) => Number(a.isEntry) - Number(b.isEntry));
  for (const chunk of inOrder) {
    if (chunk.isEntry) chmodSync(join(staging, chunk.fileName), 0o755);
    renameSync(join(staging, chunk.fileName), join(dist, chunk.fileName));
  }
}

function removeOldChunks(current: ReadonlySet<string>): void {
  const oldest_ms = Date.now() - OLD_CHUNK_KEPT_MS;
  for (const name of readdirSync(dist)) {
    if (!name.startsWith('chunk-') || current.has(name)) continue;
    if (statSync(join(dist, name)).mtimeMs < oldest_ms) rmSync(join(dist, name));
  }
}

/**
 * Runs the bundle once, so that V8's compiled code lies in dist/.compile-cache before the first user starts it.
 * A failure costs some milliseconds at the next start and nothing else.
 */
function warmCompileCache(): void {
  const cache = join(dist, '.compile-cache');
  rmSync(cache, { recursive: true, force: true });
  mkdirSync(cache);
  const data_dir = mkdtempSync(join(tmpdir(), 'haivemind-warm-'));
  const env = { ...process.env, HAIVEMIND_DATA_DIR: data_dir, HAIVEMIND_LOG_LEVEL: 'silent' };
  const hello = { jsonrpc: '2.0', id: 1, method: 'initialize', params: INITIALIZE };
  const list = { jsonrpc: '2.0', id: 2, method: 'tools/list', params: {} };
  const runs: readonly (readonly [readonly string[], string])[] = [
    [['mcp'], `${JSON.stringify(hello)}\n${JSON.stringify(list)}\n`],
    [['doctor', '--json'], ''],
    [['search', 'warm up'], ''],
  ];
  for (const [args, input] of runs) {
    spawnSync(process.execPath, [join(dist, 'cli.js'), ...args], { env, input, timeout: 20_000, stdio: 'pipe' });
  }
  rmSync(data_dir, { recursive: true, force: true });
}
