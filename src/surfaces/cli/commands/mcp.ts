// `haivemind mcp`: a pipe to the hub of this machine where one runs, else a server of its own. Loads little until it
// knows which.
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { parseArgs } from 'node:util';
import { type LoadedConfig, loadConfig } from '../../../config/load.ts';
import { failure } from '../../../kernel/errors.ts';
import { type HubHello, newSessionName } from '../../mcp/handshake.ts';
import { connectHub, type Link, runProxy } from '../../mcp/proxy.ts';
import { hubSocketPath } from '../../mcp/socket-path.ts';
import type { StdioConnection } from '../../mcp/stdio.ts';
import type { LocalRuntime } from '../../runtime.ts';
import type { CliContext } from '../contract.ts';
import { EXIT } from '../exit-codes.ts';
import { readHubFile, servesStoreOf } from '../hub-file.ts';
import { installRootOf } from '../install-root.ts';
import { refuseRemoteHub } from '../remote-hub.ts';

/** Serves until stdin closes or a signal comes. stdout carries MCP and nothing else. */
export async function runMcp(words: readonly string[], ctx: CliContext): Promise<number> {
  const flags = readFlags(words);
  refuseRemoteHub(
    ctx.io.env,
    'Connect the client over HTTP (haivemind init --client claude shows how), or unset HAIVEMIND_URL here.',
  );
  const config = loadConfig({ ...ctx.io.env, ...flags.env }, installRootOf(ctx));
  const hello: HubHello = {
    cwd: ctx.io.cwd,
    version: ctx.version,
    ...(ctx.io.env.HAIVEMIND_AGENT ? { agent_id: ctx.io.env.HAIVEMIND_AGENT } : {}),
    ...(flags.toolsets ? { toolsets: flags.toolsets } : {}),
    session_name: newSessionName(),
  };
  const path = hubSocketPath(config.data_dir);
  const hub = readHubFile(config.data_dir);
  const alone = flags.alone || (hub !== undefined && !servesStoreOf(hub, config));
  const link = alone ? undefined : await connectHub(path, hello);
  const local = localServer(ctx, config, hello);
  const stopped = new Promise<void>((resolve) =>
    ctx.io.signal.addEventListener('abort', () => resolve(), { once: true }),
  );
  if (link) {
    const done = runProxy({
      input: process.stdin,
      output: process.stdout,
      link,
      reconnect: () => connectHub(path, { ...hello, resumed: true }),
      fallback: () => local.asLink(),
      notice: (message) => ctx.io.stderr.write(`haivemind: ${message}\n`),
    });
    await Promise.race([done, stopped]);
  } else {
    const connection = await local.serve(process.stdin, process.stdout);
    await Promise.race([connection.closed, stopped]);
  }
  await local.close();
  return EXIT.ok;
}

interface LocalServer {
  serve(input: Readable, output: Writable): Promise<StdioConnection>;
  /** The same behind a pair of streams, for a proxy whose hub is gone. */
  asLink(): Promise<Link>;
  close(): Promise<void>;
}

function localServer(ctx: CliContext, config: LoadedConfig, hello: HubHello): LocalServer {
  let served: { readonly runtime: LocalRuntime; readonly connection: StdioConnection } | undefined;
  let ending: Promise<void> = Promise.resolve();
  const serve = async (input: Readable, output: Writable, resumed: boolean): Promise<StdioConnection> => {
    const [runtime, stdio, { parseToolsets }, { projectNameOf }] = await Promise.all([
      ctx.openRuntime(config, { role: 'stdio' }),
      import('../../mcp/stdio.ts'),
      import('../../mcp/toolsets.ts'),
      import('../../mcp/project.ts'),
    ]);
    const names = hello.toolsets?.length ? hello.toolsets : config.server.toolsets;
    const project = projectNameOf(hello.cwd);
    const connection = stdio.serveStdioConnection(runtime, {
      ...{ input, output, resumed },
      toolsets: parseToolsets(names, runtime.executor.operations),
      ...(hello.agent_id === undefined ? {} : { agent_id: hello.agent_id }),
      ...(project === undefined ? {} : { project }),
      ...(hello.session_name === undefined ? {} : { session_name: hello.session_name }),
    });
    served = { runtime, connection };
    return connection;
  };
  const close = (): Promise<void> => {
    const now = served;
    served = undefined;
    ending = ending.then(async () => {
      await now?.connection.close();
      await now?.runtime.close();
    });
    return ending;
  };
  return {
    close,
    serve: (input, output) => serve(input, output, false),
    async asLink() {
      const [toServer, fromServer] = [new PassThrough(), new PassThrough()];
      const connection = await serve(toServer, fromServer, true);
      void connection.closed.then(() => fromServer.end());
      return { readable: fromServer, writable: toServer, close };
    },
  };
}

function readFlags(words: readonly string[]): {
  env: Record<string, string>;
  toolsets: string[] | undefined;
  alone: boolean;
} {
  try {
    const { values } = parseArgs({
      args: [...words],
      options: {
        toolsets: { type: 'string', multiple: true },
        'data-dir': { type: 'string' },
        config: { type: 'string' },
        'no-hub': { type: 'boolean' },
        json: { type: 'boolean' },
        'no-color': { type: 'boolean' },
      },
    });
    const env: Record<string, string> = {};
    if (values['data-dir']) env.HAIVEMIND_DATA_DIR = values['data-dir'];
    if (values.config) env.HAIVEMIND_CONFIG = values.config;
    return { env, toolsets: values.toolsets?.flatMap((list) => list.split(',')), alone: values['no-hub'] === true };
  } catch (cause) {
    const why = cause instanceof Error ? (cause.message.split('. ')[0] ?? '') : '';
    throw failure('invalid_input', `haivemind mcp: ${why}.`, 'See haivemind mcp --help.', { cause });
  }
}
