// Operations through a hub, over its REST interface: the one of this machine on loopback, or one that is named.
import { Readable } from 'node:stream';
import { MACHINE_ID_SHAPE } from '../../config/schema.ts';
import { failure, HaivemindError } from '../../kernel/errors.ts';
import { projectNameOf } from '../mcp/project.ts';
import type { HealthReport, ImportOptions, TransferEvent } from '../runtime.ts';
import { CLI_AGENT, type OperationClient, terminalSession } from './client.ts';
import type { CliIo } from './contract.ts';

export interface HubAddress {
  /** Without a slash at the end. */
  readonly url: string;
  /** Of a hub elsewhere: the machine this command runs on. */
  readonly from_machine_id?: string;
  /** Of the hub of this machine, from its file; a hub elsewhere gets HAIVEMIND_TOKEN. */
  readonly owner_key?: string;
}

export function hubClient(hub: HubAddress, io: Pick<CliIo, 'env' | 'cwd'>): OperationClient {
  const { env } = io;
  const headers: Record<string, string> = {
    'user-agent': CLI_AGENT,
    'x-haivemind-agent': CLI_AGENT,
    'x-haivemind-session': terminalSession(env),
  };
  const project = projectNameOf(io.cwd);
  // Headers carry Latin letters only; a name in another script is then left unsaid.
  if (project !== undefined && /^[\x20-\x7e]+$/.test(project)) headers['x-haivemind-project'] = project;
  const { from_machine_id } = hub;
  if (from_machine_id && MACHINE_ID_SHAPE.test(from_machine_id)) headers['x-haivemind-machine'] = from_machine_id;
  const credential = hub.owner_key ?? env.HAIVEMIND_TOKEN;
  if (credential) headers.authorization = `Bearer ${credential}`;

  async function send(path: string, init: RequestInit): Promise<Response> {
    let answer: Response;
    try {
      answer = await fetch(`${hub.url}${path}`, {
        ...init,
        redirect: 'error',
        headers: { ...headers, ...init.headers },
      });
    } catch (cause) {
      if (init.signal?.aborted) throw init.signal.reason;
      throw unreachable(hub, cause);
    }
    if (!answer.ok && path !== '/health') throw await errorOf(answer, hub);
    return answer;
  }

  return {
    via: 'hub',
    async call(name, input, { signal }) {
      const answer = await send(`/api/v1/operations/${encodeURIComponent(name)}`, {
        method: 'POST',
        body: JSON.stringify(input),
        headers: { 'content-type': 'application/json' },
        signal,
      });
      return (await answer.json()) as Record<string, unknown>;
    },
    async *importFrom(source, options) {
      const answer = await send(`/api/v1/import?${importQuery(options)}`, {
        method: 'POST',
        body: Readable.toWeb(Readable.from(source)) as unknown as ReadableStream<Uint8Array>,
        duplex: 'half',
        headers: { 'content-type': 'application/x-ndjson', accept: 'application/x-ndjson' },
        signal: options.signal,
      } as RequestInit);
      for await (const line of linesOf(answer)) yield eventIn(line);
    },
    async *exportTo({ signal, ...options }) {
      const query = queryOf(options);
      const answer = await send(`/api/v1/export?${query}`, { method: 'GET', signal });
      yield* textOf(answer);
    },
    async *backupOut(backup_id, { signal }) {
      const answer = await send(`/api/v1/project-backups/files/${encodeURIComponent(backup_id)}`, {
        method: 'GET',
        signal,
      });
      if (answer.body) yield* answer.body as unknown as AsyncIterable<Uint8Array>;
    },
    async backupIn(source, { signal }) {
      const answer = await send('/api/v1/project-backups/files', {
        method: 'POST',
        body: Readable.toWeb(Readable.from(source)) as unknown as ReadableStream<Uint8Array>,
        duplex: 'half',
        headers: { 'content-type': 'application/octet-stream' },
        signal,
      } as RequestInit);
      return (await answer.json()) as { backup_id: string; project_id: string };
    },
    settle: async () => {},
    inspect: async () => [],
    async health() {
      const answer = await send('/health', { method: 'GET', signal: AbortSignal.timeout(10_000) });
      const text = await answer.text();
      const report = healthIn(text);
      if (!report) throw errorIn(text, answer.status, hub);
      return report;
    },
    close: async () => {},
  };
}

/** An import that failed half-way says so in its last line: the status was sent before. */
function eventIn(line: string): TransferEvent {
  const value: unknown = JSON.parse(line);
  if (isRecord(value) && value.type === 'error')
    throw errorBodyIn(line) ?? failure('internal', 'The import failed.', 'Look at the log of the hub.');
  return value as TransferEvent;
}

function queryOf(options: Readonly<Record<string, string | boolean>>): URLSearchParams {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(options)) query.set(key, String(value));
  return query;
}

function importQuery({ signal: _, tags, ...options }: ImportOptions): URLSearchParams {
  const query = queryOf(options);
  for (const tag of tags ?? []) query.append('tags', tag);
  return query;
}

async function* textOf(answer: Response): AsyncIterable<string> {
  if (!answer.body) return;
  const decoder = new TextDecoder();
  for await (const chunk of answer.body) yield decoder.decode(chunk, { stream: true });
  yield decoder.decode();
}

async function* linesOf(answer: Response): AsyncIterable<string> {
  let rest = '';
  for await (const text of textOf(answer)) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    yield* lines.filter((line) => line !== '');
  }
  if (rest !== '') yield rest;
}

async function errorOf(answer: Response, hub: HubAddress): Promise<Error> {
  return errorIn(await answer.text(), answer.status, hub);
}

function errorIn(text: string, status: number, hub: HubAddress): Error {
  const body = errorBodyIn(text);
  if (body) return body;
  return failure(
    'unavailable',
    `The hub at ${hub.url} answered with status ${status}.`,
    'Look at its log, or run `haivemind doctor`.',
  );
}

/** A hub that is not well answers with a report too, under another status; one that refuses does not. */
function healthIn(text: string): HealthReport | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) && Array.isArray(value.checks) ? (value as unknown as HealthReport) : undefined;
  } catch {
    return undefined;
  }
}

function errorBodyIn(text: string): HaivemindError | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const record = isRecord(value) && isRecord(value.error) ? value.error : value;
  if (!isRecord(record)) return undefined;
  const { code, message, hint, details } = record;
  if (typeof code !== 'string' || typeof message !== 'string' || typeof hint !== 'string') return undefined;
  return new HaivemindError(isRecord(details) ? { code, message, hint, details } : { code, message, hint });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function unreachable(hub: HubAddress, cause: unknown): HaivemindError {
  return failure(
    'unavailable',
    `The connection to the hub at ${hub.url} broke before it answered.`,
    hub.from_machine_id === undefined
      ? 'Run the command again; without the hub it opens the store itself.'
      : 'Check HAIVEMIND_URL and that the hub runs; unset it to use the store of this machine.',
    { cause },
  );
}
