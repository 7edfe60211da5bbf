// The hub's side of `haivemind mcp`: a private socket on which every connection is an MCP connection over a stream.
import { chmodSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { failure, toErrorBody } from '../../kernel/errors.ts';
import { limits } from '../../kernel/limits.ts';
import type { Runtime } from '../runtime.ts';
import { HANDSHAKE_MAX_BYTES, type HubHello, handshakeLine, readHello } from './handshake.ts';
import { projectNameOf } from './project.ts';
import { prepareSocketDirectory } from './socket-path.ts';
import { type StdioConnection, serveStdioConnection } from './stdio.ts';
import { parseToolsets } from './toolsets.ts';

export interface HubSocket {
  readonly path: string;
  /** Accepts nobody new, lets what is in flight finish within the grace, then ends the connections. */
  close(grace_ms?: number): Promise<void>;
}

export interface HubSocketOptions {
  /** From hubSocketPath(data_dir). */
  readonly path: string;
  /** Toolsets for proxies that name none. */
  readonly toolsets?: readonly string[];
}

/** Starts listening. Rejects with `conflict` where another hub serves the same data directory. */
export async function listenHubSocket(runtime: Runtime, options: HubSocketOptions): Promise<HubSocket> {
  prepareSocketDirectory(options.path);
  const connections = new Set<StdioConnection>();
  const sockets = new Set<Socket>();
  // Half-open: a proxy that sent its last request still gets the answer.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', (error) => runtime.log.warn({ error: error.message }, 'A proxy connection failed.'));
    welcome(runtime, socket, options.toolsets, connections);
  });
  await listenPrivately(server, options.path);
  return {
    path: options.path,
    close: (grace_ms = limits.shutdown_grace_ms) => closeAll(server, sockets, connections, grace_ms),
  };
}

function welcome(
  runtime: Runtime,
  socket: Socket,
  toolsets: readonly string[] | undefined,
  connections: Set<StdioConnection>,
): void {
  const timer = setTimeout(() => socket.destroy(), limits.hub_probe_timeout_ms);
  socket.once('close', () => clearTimeout(timer));
  readFirstLine(socket, (line) => {
    clearTimeout(timer);
    const hello = line === undefined ? undefined : readHello(line);
    if (!hello) return void socket.destroy();
    try {
      const connection = serveProxy(runtime, socket, hello, toolsets);
      connections.add(connection);
      void connection.closed.then(() => {
        connections.delete(connection);
        socket.end();
      });
    } catch (error) {
      socket.end(handshakeLine({ version: runtime.version, error: toErrorBody(error) }));
    }
  });
}

function serveProxy(
  runtime: Runtime,
  socket: Socket,
  hello: HubHello,
  toolsets: readonly string[] | undefined,
): StdioConnection {
  const wanted = parseToolsets(hello.toolsets?.length ? hello.toolsets : toolsets, runtime.executor.operations);
  const project = projectNameOf(hello.cwd);
  socket.write(handshakeLine({ version: runtime.version, repeatable: repeatableTools(runtime) }));
  return serveStdioConnection(runtime, {
    input: socket,
    output: socket,
    toolsets: wanted,
    ...(hello.agent_id === undefined ? {} : { agent_id: hello.agent_id }),
    ...(project === undefined ? {} : { project }),
    ...(hello.session_name === undefined ? {} : { session_name: hello.session_name }),
    ...(hello.resumed ? { resumed: true } : {}),
  });
}

function repeatableTools(runtime: Runtime): string[] {
  return runtime.executor.operations
    .filter(({ effects }) => effects.readOnly || (effects.idempotent && !effects.destructive))
    .map((operation) => operation.name);
}

/** Calls back once with the first line, or with undefined where none comes within the bound; later bytes stay unread. */
function readFirstLine(socket: Socket, done: (line: string | undefined) => void): void {
  let held = Buffer.alloc(0);
  function finish(line: string | undefined, rest?: Buffer): void {
    socket.off('data', onData);
    socket.off('close', onClose);
    socket.pause();
    // Only now: put back into a flowing stream, the bytes would come straight in again.
    if (rest && rest.length > 0) socket.unshift(rest);
    done(line);
  }
  function onClose(): void {
    finish(undefined);
  }
  function onData(chunk: Buffer): void {
    held = Buffer.concat([held, chunk]);
    const end = held.indexOf(10);
    if (end < 0 && held.length <= HANDSHAKE_MAX_BYTES) return;
    if (end < 0) {
      finish(undefined);
      return;
    }
    finish(held.subarray(0, end).toString('utf8'), held.subarray(end + 1));
  }
  socket.on('data', onData);
  socket.on('close', onClose);
}

/** A socket only this user may open, also in the moment between its making and a chmod. */
async function listenPrivately(server: Server, path: string): Promise<void> {
  try {
    await listenOnce(server, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    if (await answers(path)) {
      throw failure(
        'conflict',
        'Another hub already serves this data directory.',
        'Stop it first, or choose another data directory (HAIVEMIND_DATA_DIR).',
      );
    }
    // Left behind by a hub that was killed.
    rmSync(path, { force: true });
    await listenOnce(server, path);
  }
  if (process.platform !== 'win32') chmodSync(path, 0o600);
}

function listenOnce(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const umask = process.platform === 'win32' ? undefined : process.umask(0o177);
    // Binding happens inside listen(), so the mask is back before anything else runs.
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
    if (umask !== undefined) process.umask(umask);
  });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}

async function closeAll(
  server: Server,
  sockets: ReadonlySet<Socket>,
  connections: ReadonlySet<StdioConnection>,
  grace_ms: number,
): Promise<void> {
  const stopped = new Promise<void>((resolve) => server.close(() => resolve()));
  await Promise.all([...connections].map((connection) => connection.close(grace_ms)));
  for (const socket of sockets) socket.destroy();
  await stopped;
}
