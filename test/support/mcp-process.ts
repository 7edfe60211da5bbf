// The real binary over MCP stdio: spawned as clients spawn it, spoken to in lines of JSON-RPC, killed when wanted.
import { type ChildProcess, spawn } from 'node:child_process';
import { ended, node24, type Ran } from '../cli-binary.ts';

export interface ToolAnswer {
  readonly isError: boolean;
  readonly output: Readonly<Record<string, unknown>>;
}

export interface McpProcess {
  readonly child: ChildProcess;
  /** Calls a tool. Rejects with ProcessGone where the process ends before it answers. */
  call(tool: string, input: Readonly<Record<string, unknown>>): Promise<ToolAnswer>;
  /** The output of a call that must succeed. */
  ask(tool: string, input: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>>;
  /** Any request. Rejects with ProcessGone, and with what an error answer says. */
  request(method: string, params: unknown): Promise<unknown>;
  /** Parameters of the notifications of this method that came so far. */
  notifications(method: string): readonly Readonly<Record<string, unknown>>[];
  /** What it said on stderr so far. */
  stderr(): string;
  /** Resolves when the process is gone and its pipes are closed. */
  readonly gone: Promise<Ran>;
  signal(name: NodeJS.Signals): Promise<Ran>;
  /** Closes stdin, as a client does that is done. */
  endInput(): Promise<Ran>;
}

export interface McpProcessOptions {
  readonly cli: string;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Words before `node`, for example a shell that sets a limit first. */
  readonly prefix?: readonly string[];
  readonly uid?: number | undefined;
}

interface Notification {
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

export const PROCESS_GONE = 'the process ended before it answered';

interface Reply {
  readonly id?: number;
  readonly result?: { readonly isError?: boolean; readonly structuredContent?: Record<string, unknown> };
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

/** Starts `haivemind mcp` and shakes hands. Rejects, with what it said, where the process ends instead. */
export async function startMcp(options: McpProcessOptions): Promise<McpProcess> {
  const child = spawnMcp(options);
  const gone = ended(child);
  let said = '';
  child.stderr?.on('data', (text: string) => {
    said += text;
  });
  const heard: Notification[] = [];
  const request = lineClient(child, gone, (notification) => heard.push(notification));
  const mcp: McpProcess = {
    child,
    gone,
    async request(method, params) {
      const { result, error } = await request(method, params);
      if (error) throw new Error(`${method}: ${error.code} ${error.message}`);
      return result;
    },
    notifications: (method) => heard.filter((one) => one.method === method).map(({ params }) => params ?? {}),
    stderr: () => said,
    async call(name, input) {
      const { result, error } = await request('tools/call', { name, arguments: input });
      if (error) throw new Error(`${name}: ${error.code} ${error.message}`);
      return { isError: result?.isError === true, output: result?.structuredContent ?? {} };
    },
    async ask(name, input) {
      const { isError, output } = await mcp.call(name, input);
      if (isError) throw new Error(`${name}: ${JSON.stringify(output)}`);
      return output;
    },
    signal(name) {
      child.kill(name);
      return gone;
    },
    endInput() {
      child.stdin?.end();
      return gone;
    },
  };
  try {
    await request('initialize', {
      protocolVersion: '2025-06-18',
      capabilities: {},
      clientInfo: { name: 'durability-test', version: '1' },
    });
  } catch (error) {
    child.kill('SIGKILL');
    const { code, stderr } = await gone;
    throw new Error(`haivemind mcp ended with ${code} at its start:\n${stderr}`, { cause: error });
  }
  child.stdin?.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n');
  return mcp;
}

/** The process alone, for starts that are meant to fail. */
export function spawnMcp({ cli, env, cwd, prefix = [], uid }: McpProcessOptions): ChildProcess {
  const [command = node24, ...args] = [...prefix, node24, cli, 'mcp'];
  const child = spawn(command, args, {
    cwd,
    env,
    stdio: 'pipe',
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  child.stdin?.on('error', () => {});
  running.add(child);
  child.on('close', () => running.delete(child));
  return child;
}

const running = new Set<ChildProcess>();

/** Kills what a test that failed half way left running; for afterEach. */
export async function killLeftovers(): Promise<void> {
  await Promise.all(
    [...running].map((child) => {
      child.kill('SIGKILL');
      return new Promise((resolve) => child.once('close', resolve));
    }),
  );
}

type Send = (method: string, params: unknown) => Promise<Reply>;

function lineClient(child: ChildProcess, gone: Promise<Ran>, onNotification: (said: Notification) => void): Send {
  const waiting = new Map<number, { resolve: (reply: Reply) => void; reject: (error: Error) => void }>();
  let rest = '';
  let last_id = 0;
  let over = false;
  child.stdout?.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const reply = JSON.parse(line) as Reply & Notification;
      if (reply.id === undefined) {
        onNotification(reply);
        continue;
      }
      waiting.get(reply.id)?.resolve(reply);
      waiting.delete(reply.id);
    }
  });
  void gone
    .catch(() => {})
    .then(() => {
      over = true;
      for (const { reject } of waiting.values()) reject(new Error(PROCESS_GONE));
      waiting.clear();
    });
  return (method, params) =>
    new Promise((resolve, reject) => {
      if (over) return reject(new Error(PROCESS_GONE));
      const id = ++last_id;
      waiting.set(id, { resolve, reject });
      child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    });
}
