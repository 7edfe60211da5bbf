// What `npm start` ends with: proof that a memory can be stored and found, and the lines that connect a client.
import type { LoadedConfig } from '../../config/load.ts';
import { defaultDataDir } from '../../config/load.ts';
import { failure } from '../../kernel/errors.ts';
import { limits } from '../../kernel/limits.ts';
import { claudeHttp, claudeStdio, type Installation, MAKE_TOKEN } from './connect.ts';
import type { CliContext } from './contract.ts';
import { type GlobalOptions, stdoutStyle } from './globals.ts';
import { hubClient } from './hub-client.ts';
import type { HubRecord } from './hub-file.ts';
import { type Reach, reachOf } from './reach.ts';

/** Stores and finds through the hub's public door, then returns the text to print. Rejects where the hub cannot. */
export async function welcome(
  hub: HubRecord,
  sync: string | undefined,
  config: LoadedConfig,
  ctx: CliContext,
  options: GlobalOptions,
): Promise<string> {
  const check = await selfCheck(hub, ctx);
  const style = stdoutStyle(ctx, options);
  const it = installationOf(reachOfHub(hub, config), config, ctx);
  const row = (name: string, value: string): string => `  ${style.cyan(name.padEnd(10))} ${value}\n`;
  return [
    `\n${style.green('hAIveMind is up')} (${ctx.version}, process ${hub.pid})\n\n`,
    row('MCP', `${hub.url}/mcp`),
    row('REST', `${hub.url}/api/v1 (described by ${hub.url}/openapi.json)`),
    row('health', `${hub.url}/health`),
    row('metrics', `${hub.url}/metrics`),
    ...(sync ? [row('sync', `${sync}/api/status`)] : []),
    row('data', config.data_dir),
    `\nSelf-check: stored ${check.memory_id} and found it again by search (${check.took_ms} ms).\n`,
    `\n${style.bold('Connect Claude Code')}, over stdio:\n  ${claudeStdio(it)}\nor over HTTP:\n  ${claudeHttp(it)}\n${it.token ? `with a token, made by:\n  ${MAKE_TOKEN}\n` : ''}`,
    `\nOther clients: ${[it.node, it.entry, 'init --client cursor'].join(' ')} (claude-desktop, vscode, codex, gemini, http)\n`,
  ].join('');
}

/** Of a hub of an earlier version, whose file does not say it, the configuration has to. */
export function reachOfHub({ reach, url }: HubRecord, { security }: LoadedConfig): Reach {
  const { hostname, port } = new URL(url);
  return reach ?? reachOf({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80) }, security);
}

/** How this installation is reached; the data directory is named only where it is not the default one. */
export function installationOf({ url, token }: Reach, config: LoadedConfig, ctx: CliContext): Installation {
  const isDefault = config.data_dir === defaultDataDir({ ...ctx.io.env, HAIVEMIND_DATA_DIR: undefined });
  return {
    node: process.execPath,
    entry: ctx.entryPath,
    url,
    ...(token ? { token } : {}),
    ...(isDefault ? {} : { data_dir: config.data_dir }),
  };
}

interface SelfCheck {
  readonly memory_id: string;
  readonly took_ms: number;
}

/** The same text every time, so that the store gives the same memory back instead of collecting copies. */
async function selfCheck(hub: HubRecord, ctx: CliContext): Promise<SelfCheck> {
  const client = hubClient(hub, ctx.io);
  const signal = AbortSignal.any([ctx.io.signal, AbortSignal.timeout(limits.http_request_timeout_ms)]);
  const started_ms = performance.now();
  const stored = await client.call(
    'store_memory',
    {
      content: `hAIveMind runs on ${hub.machine_id}: memories stored here are found by meaning and by exact words.`,
      category: 'global',
      tags: ['haivemind', 'self-check'],
      // Named, because the project would else follow the directory the hub was started from.
      project: 'haivemind',
    },
    { signal },
  );
  const found = await client.call(
    'search_memories',
    { query: `where does hAIveMind run, ${hub.machine_id}`, tags: ['self-check'], limit: 5 },
    { signal },
  );
  const ids = idsIn(found);
  if (typeof stored.memory_id === 'string' && ids.includes(stored.memory_id)) {
    return { memory_id: stored.memory_id, took_ms: Math.round(performance.now() - started_ms) };
  }
  throw failure(
    'internal',
    'The self-check stored a memory and search did not find it.',
    'Run `haivemind doctor`; it names what is wrong.',
  );
}

function idsIn(answer: Readonly<Record<string, unknown>>): unknown[] {
  const lists = Object.values(answer).filter((value) => Array.isArray(value));
  return lists
    .flat()
    .map((item: unknown) =>
      typeof item === 'object' && item !== null && 'memory_id' in item ? item.memory_id : undefined,
    );
}
