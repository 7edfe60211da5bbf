// A real runtime over a store in a temporary directory, with a clock that stands still: for tests through the public door.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openRuntime } from '../../src/compose.ts';
import type { Engines, PostgresTarget } from '../../src/config/engines.ts';
import type { LoadedConfig } from '../../src/config/load.ts';
import { configSchema } from '../../src/config/schema.ts';
import { virtualClock } from '../../src/kernel/clock.ts';
import { type ErrorBody, HaivemindError } from '../../src/kernel/errors.ts';
import type { OperationContext, Transport } from '../../src/kernel/operation.ts';
import type { LocalRuntime } from '../../src/surfaces/runtime.ts';
import { postgresRows, testStore } from './test-store.ts';

export const DAY_MS = 86_400_000;

export interface CallerOptions {
  readonly user?: string;
  readonly agent?: string;
  readonly session?: string;
  readonly transport?: Transport;
  readonly project?: string;
}

/** An answer as parsed JSON: its fields are checked by `expect` rather than by the compiler. */
export type Answer = Record<string, ReturnType<typeof JSON.parse>>;

export interface App extends AsyncDisposable {
  readonly runtime: LocalRuntime;
  readonly clock: ReturnType<typeof virtualClock>;
  readonly data_dir: string;
  readonly config: LoadedConfig;
  /** Runs one operation; resolves with the structured answer. */
  call(operation: string, input?: unknown, caller?: CallerOptions): Promise<Answer>;
  /** The text parts of an answer as one text. */
  text(operation: string, input?: unknown, caller?: CallerOptions): Promise<string>;
  /** Runs one operation that has to be refused; resolves with the error's body. */
  refusal(operation: string, input?: unknown, caller?: CallerOptions): Promise<ErrorBody>;
  /** Stores a text and returns its id. */
  store(content: string, fields?: Readonly<Record<string, unknown>>, caller?: CallerOptions): Promise<string>;
  /** Names of the store's tables. */
  tables(): Promise<string[]>;
  /** Asks the store beside the runtime, with `?` for parameters. */
  rows(sql: string, ...parameters: (string | number)[]): Promise<Record<string, unknown>[]>;
}

export interface AppOptions {
  /** `none` searches by words alone and loads no model: what most tests need. */
  readonly embedding?: 'none' | 'local';
  readonly retention?: LoadedConfig['storage']['retention'];
  /** The configuration's section, as in its file. */
  readonly claudeops?: Readonly<Record<string, unknown>>;
  readonly role?: 'server' | 'stdio' | 'command';
  readonly data_dir?: string;
  readonly clock?: ReturnType<typeof virtualClock>;
  readonly machine_id?: string;
  /** Engines beside the store's own. */
  readonly engines?: Partial<Omit<Engines, 'postgres'>>;
}

export function testConfig(data_dir: string, options: AppOptions = {}, postgres?: PostgresTarget): LoadedConfig {
  const config = configSchema.parse({
    server: { log_level: 'silent' },
    claudeops: options.claudeops ?? {},
    storage: {
      synchronous: 'NORMAL',
      embedding: { provider: options.embedding ?? 'none' },
      retention: options.retention ?? [],
    },
  });
  const { remote_server, ...rest } = config;
  const server = { ...config.server, ...remote_server };
  const keyring = { ...config.security.keyring, file: join(data_dir, 'keys', 'master.json') };
  const security = { ...config.security, keyring };
  const engines: Engines = { ...(postgres ? { postgres } : {}), vectors: { engine: 'embedded' }, ...options.engines };
  return {
    ...rest,
    server,
    security,
    data_dir,
    machine_id: options.machine_id ?? 'test-machine',
    engines,
    vault_references: [],
    file: undefined,
  };
}

export async function openApp(options: AppOptions = {}): Promise<App> {
  const data_dir = options.data_dir ?? mkdtempSync(join(tmpdir(), 'haivemind-app-'));
  const clock = options.clock ?? virtualClock();
  const { postgres, leave } = await testStore(data_dir);
  const config = testConfig(data_dir, options, postgres);
  const runtime = await openRuntime(config, { role: options.role ?? 'command', clock });
  const run = (operation: string, input: unknown, caller: CallerOptions | undefined) =>
    runtime.executor.execute(operation, input, contextOf(config.machine_id, caller));
  const call: App['call'] = async (operation, input, caller) => (await run(operation, input, caller)).output;
  return {
    runtime,
    clock,
    data_dir,
    config,
    call,
    async text(operation, input, caller) {
      return (await run(operation, input, caller)).parts.map((part) => part.text).join('\n');
    },
    refusal: (operation, input, caller) => refusalOf(run(operation, input, caller)),
    store: async (content, fields, caller) => (await call('store_memory', { content, ...fields }, caller)).memory_id,
    rows: async (sql, ...parameters) =>
      postgres ? postgresRows(postgres.url, sql, parameters) : readRows(data_dir, sql, parameters),
    async tables() {
      const rows = postgres
        ? await postgresRows(postgres.url, "select tablename as name from pg_tables where schemaname = 'public'", [])
        : readRows(data_dir, "select name from sqlite_schema where type = 'table'", []);
      return rows.map((row) => String(row.name));
    },
    async [Symbol.asyncDispose]() {
      await runtime.close();
      await leave();
      if (options.data_dir === undefined) rmSync(data_dir, { recursive: true, force: true });
    },
  };
}

export function contextOf(machine_id: string, caller: CallerOptions = {}): OperationContext {
  const user_id = caller.user ?? 'ada';
  return {
    principal: { user_id, agent_id: caller.agent ?? 'tester', machine_id },
    session: {
      key: caller.session ?? `ses_${user_id}`,
      transport: caller.transport ?? 'cli',
      ...(caller.project === undefined ? {} : { project: caller.project }),
    },
    request_id: 'req_test',
    signal: new AbortController().signal,
    reportProgress: () => {},
  };
}

/** The body of the HaivemindError a call ends with. Anything else fails the test. */
export async function refusalOf(call: Promise<unknown>): Promise<ErrorBody> {
  try {
    await call;
  } catch (error) {
    if (error instanceof HaivemindError) return error.toJSON();
    throw error;
  }
  throw new Error('The call was expected to be refused and succeeded.');
}

function readRows(data_dir: string, sql: string, parameters: readonly (string | number)[]): Record<string, unknown>[] {
  const raw = new DatabaseSync(join(data_dir, 'haivemind.db'), { timeout: 2_000 });
  try {
    const statement = raw.prepare(sql);
    // Row ids inside the full-text index are larger than a JavaScript number holds.
    statement.setReadBigInts(true);
    return statement.all(...parameters).map((row) => Object.fromEntries(Object.entries(row).map(asNumber)));
  } finally {
    raw.close();
  }
}

function asNumber([column, value]: [string, unknown]): [string, unknown] {
  return [column, typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value];
}
