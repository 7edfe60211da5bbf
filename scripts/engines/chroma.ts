// Chroma's own server from its npm package, with a directory of its own, for one run of tests or benches.
import { join } from 'node:path';
import { enginePackages } from './packages.ts';
import { makePlace } from './place.ts';
import { type EngineServer, runEngine } from './process.ts';

export interface ChromaServer extends EngineServer {
  readonly url: string;
}

/** `kill` is SIGKILL. Installs the package first where it is missing; throws npm's words where it cannot be had. */
export async function startChroma(options: { readonly port?: number } = {}): Promise<ChromaServer> {
  const program = join(enginePackages(), 'chromadb', 'dist', 'cli.mjs');
  const place = makePlace('chroma', 'KILL');
  const server = await runEngine({
    name: 'Chroma',
    place,
    port: options.port,
    command: (port) => ({
      command: process.execPath,
      args: [program, 'run', '--host', '127.0.0.1', '--port', String(port), '--path', join(place.directory, 'data')],
      env: { ...process.env, DO_NOT_TRACK: '1', ANONYMIZED_TELEMETRY: 'false' },
    }),
    ready: /Listening on 127\.0\.0\.1:\d+/,
    answers: async (port) => (await fetch(`http://127.0.0.1:${port}/api/v2/heartbeat`)).ok,
    signals: { stop: 'SIGTERM', kill: 'SIGKILL' },
  });
  return Object.assign(server, { url: `http://127.0.0.1:${server.port}` });
}
