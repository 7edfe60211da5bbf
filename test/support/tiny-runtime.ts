// A runtime of a few real operations over a map, for tests of the surfaces that need no store.
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { assertAllowed, mayCall } from '../../src/domains/access/index.ts';
import { failure } from '../../src/kernel/errors.ts';
import { createExecutor, type ExecutionRecord } from '../../src/kernel/execute.ts';
import type { OperationContext, Principal } from '../../src/kernel/operation.ts';
import { bindOperation, DELETES, defineOperation, READS, WRITES } from '../../src/kernel/operation.ts';
import type { Identities, Runtime, TransferEvent } from '../../src/surfaces/runtime.ts';
import { type TinyHubs, tinyHubs } from './tiny-hubs.ts';

interface Note {
  readonly note_id: string;
  readonly content: string;
  readonly tags: readonly string[];
}

interface Deps {
  readonly notes: Map<string, Note>;
  readonly changed: (uri: string) => void;
  readonly gates: Map<string, PromiseWithResolvers<void>>;
}

const note = z.object({
  note_id: z.string().describe('Id of the note.'),
  content: z.string().describe('Its text.'),
  tags: z.array(z.string()).describe('Its tags.'),
});

const storeNote = defineOperation<Deps, z.ZodObject, z.ZodObject>({
  name: 'store_note',
  title: 'Store a note',
  description: 'Stores a note and returns its id.',
  toolset: 'notes',
  core: true,
  input: z.strictObject({
    content: z.string().min(1).max(10_000).describe('Text of the note.'),
    tags: z.array(z.string()).default([]).describe('Tags.'),
    metadata: z.record(z.string(), z.unknown()).optional().describe('Free fields.'),
  }),
  output: note,
  effects: WRITES,
  permission: 'memory.write',
  rest: { method: 'POST', path: '/notes', status: 201 },
  cli: { group: 'notes', verb: 'store' },
  examples: [{ title: 'A note', input: { content: 'nginx restarted' } }],
  async handle(deps, input) {
    const stored = { note_id: `note_${randomUUID()}`, content: String(input.content), tags: input.tags as string[] };
    deps.notes.set(stored.note_id, stored);
    deps.changed(`haivemind://memory/${stored.note_id}`);
    return stored;
  },
  text: (output) => [{ kind: 'text', text: `Stored ${output.note_id}.` }],
});

const listNotes = defineOperation<Deps, z.ZodObject, z.ZodObject>({
  name: 'list_notes',
  title: 'List notes',
  description: 'Lists notes, newest last, with filters.',
  toolset: 'notes',
  core: true,
  input: z.strictObject({
    tags: z.array(z.string()).default([]).describe('Only notes with one of these tags.'),
    limit: z.number().int().min(1).max(100).default(20).describe('How many.'),
    verbose: z.boolean().default(false).describe('More text.'),
    where: z.strictObject({ contains: z.string().optional() }).optional().describe('Further filters.'),
  }),
  output: z.object({ notes: z.array(note).describe('The notes.'), total: z.number().describe('How many there are.') }),
  effects: READS,
  permission: 'memory.read',
  rest: { method: 'GET', path: '/notes' },
  cli: { group: 'notes', verb: 'list' },
  examples: [{ title: 'All', input: {} }],
  async handle(deps, input) {
    const tags = input.tags as string[];
    const contains = (input.where as { contains?: string } | undefined)?.contains ?? '';
    const notes = [...deps.notes.values()]
      .filter((one) => tags.length === 0 || one.tags.some((tag) => tags.includes(tag)))
      .filter((one) => one.content.includes(contains))
      .slice(0, Number(input.limit));
    return { notes, total: deps.notes.size };
  },
  text: (output) => [
    { kind: 'text', text: `${output.total} notes.` },
    ...(output.notes as Note[]).map((one) => ({ kind: 'stored' as const, text: one.content })),
  ],
});

const getNote = defineOperation<Deps, z.ZodObject, z.ZodObject>({
  name: 'get_note',
  title: 'Get a note',
  description: 'Returns one note.',
  toolset: 'notes',
  input: z.strictObject({ note_id: z.string().max(200).describe('Id of the note.') }),
  output: note,
  effects: READS,
  permission: 'memory.read',
  rest: { method: 'GET', path: '/notes/{note_id}' },
  cli: { group: 'notes', verb: 'get', positional: ['note_id'] },
  examples: [{ title: 'One', input: { note_id: 'note_1' } }],
  async handle(deps, input) {
    if (String(input.note_id).startsWith('slow_')) await gateOf(deps.gates, String(input.note_id)).promise;
    const found = deps.notes.get(String(input.note_id));
    if (!found) throw failure('not_found', 'There is no such note.', 'List the notes.');
    return { ...found, tags: [...found.tags] };
  },
  text: (output) => [{ kind: 'stored', text: String(output.content) }],
});

const waitFor = defineOperation<Deps, z.ZodObject, z.ZodObject>({
  name: 'wait_for_gate',
  title: 'Wait',
  description: 'Waits until the test opens the gate, reporting progress; says who called.',
  toolset: 'testing',
  input: z.strictObject({ gate: z.string().describe('Name of the gate.') }),
  output: z.object({ opened: z.string(), session_key: z.string(), agent_id: z.string(), transport: z.string() }),
  effects: DELETES,
  permission: 'system.admin',
  rest: { method: 'DELETE', path: '/gates/{gate}' },
  cli: { group: 'gates', verb: 'wait', positional: ['gate'] },
  examples: [{ title: 'One', input: { gate: 'none' } }],
  async handle(deps, input, ctx) {
    const gate = String(input.gate);
    ctx.reportProgress({ done: 1, total: 2, message: 'waiting' });
    if (gate === 'broken') throw new Error('secret detail of the inside');
    if (gate !== 'none') {
      const wait = gateOf(deps.gates, gate);
      await Promise.race([wait.promise, aborted(ctx.signal)]);
    }
    ctx.reportProgress({ done: 2, total: 2 });
    return {
      opened: gate,
      session_key: ctx.session.key,
      agent_id: ctx.principal.agent_id,
      transport: ctx.session.transport,
    };
  },
  text: (output) => [{ kind: 'text', text: `Opened ${output.opened}.` }],
});

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')), { once: true });
  });
}

function gateOf(gates: Map<string, PromiseWithResolvers<void>>, name: string): PromiseWithResolvers<void> {
  const known = gates.get(name) ?? Promise.withResolvers<void>();
  gates.set(name, known);
  return known;
}

export interface TinyRuntime {
  readonly runtime: Runtime;
  readonly notes: Map<string, Note>;
  readonly records: ExecutionRecord[];
  readonly logged: string[];
  openGate(name: string): void;
  /** Resolves when a call waits at the gate. */
  waiting(name: string): Promise<void>;
  announce(uri: string): void;
}

/** Knows no token, no peer and no issuer. */
const NOBODY: Identities = {
  bearer: async () => {
    throw failure('unauthenticated', 'The token is not one of this hub.', 'Get a token from an administrator.');
  },
  peer: async () => undefined,
  jwks: async () => ({ keys: [] }),
  issuers: [],
  public_url: undefined,
  turnedAway: async () => undefined,
};

/** Runtimes with the same `hubs` are hubs of one store; notes are still each one's own. */
export function tinyRuntime(hubs: TinyHubs = tinyHubs(), more: Partial<Runtime> = {}): TinyRuntime {
  const { announce } = hubs;
  const deps: Deps = { notes: new Map(), changed: announce, gates: new Map() };
  const records: ExecutionRecord[] = [];
  const logged: string[] = [];
  const log = (fields: Readonly<Record<string, unknown>>, message: string): void => {
    logged.push(`${message} ${JSON.stringify(fields)}`);
  };
  const executor = createExecutor(
    [storeNote, listNotes, getNote, waitFor].map((definition) => bindOperation(definition, deps)),
    {
      async admit(operation, ctx) {
        assertAllowed(mayCall(ctx.principal, operation.permission), () =>
          failure('not_found', 'There is no such tool.', 'List the tools.'),
        );
        return ctx;
      },
      refused: async () => undefined,
      observe: (record) => void records.push(record),
      annotate: async () => ({}),
    },
  );
  const runtime: Runtime = {
    hub_id: 'hub-tiny',
    owner_key: 'key-of-tiny-hub',
    version: '0.0.1',
    executor,
    log: { info: log, warn: log, error: log },
    instructions: 'Notes for tests.',
    transfers: {
      assertImport: async (principal) => void (await runtime.authorise(principal, 'memory.write', 'import')),
      importFrom: (source, _principal, options) => importLines(deps, source, options.signal),
      exportTo: () => exportLines(deps),
    },
    backupFiles: {
      takeOut: (_principal, id) => Promise.reject(failure('not_found', `There is no backup ${id}.`, 'Make one.')),
      takeIn: () => Promise.reject(failure('storage_corrupt', 'It is no backup.', 'Use another file.')),
    },
    localPrincipal: (agent_id): Principal => ({
      user_id: 'tester',
      agent_id: agent_id ?? 'unknown',
      machine_id: 'here',
      credential: { kind: 'local', admin: true },
    }),
    health: async () => ({
      status: 'ok',
      hub_id: 'hub-tiny',
      version: '0.0.1',
      machine_id: 'here',
      uptime_seconds: 1,
      checks: [{ name: 'store', status: 'ok', detail: 'in memory' }],
    }),
    metrics: async () => '# TYPE notes gauge\nnotes 0\n',
    async readResource(uri) {
      const found = deps.notes.get(uri.replace('haivemind://memory/', ''));
      if (!found) throw failure('not_found', 'There is no such resource.', 'List the notes.');
      return { uri, name: found.note_id, mime_type: 'text/markdown', text: found.content };
    },
    assertResourceUri(uri) {
      if (/^haivemind:\/\/memory\/./.test(uri)) return;
      throw failure('not_found', 'There is no such resource.', 'There are haivemind://memory/{memory_id}.');
    },
    mayReadResource: async (_uri, principal) => mayCall(principal, 'memory.read').allowed,
    stillHere: async () => {},
    async authorise(principal, permission) {
      assertAllowed(mayCall(principal, permission), () => failure('not_found', 'Nothing here.', 'Look elsewhere.'));
      return principal;
    },
    syncStatus: async () => ({ machine_id: 'here', version: '0.0.1', version_vector: {}, peers: [] }),
    ready: async () => ({ name: 'store', status: 'ok', detail: 'in memory' }),
    mcpSessions: hubs.mcpSessions,
    relay: hubs.join(`hub_${randomUUID()}`),
    identities: NOBODY,
    onResourceChanged: hubs.onAnnounced,
    followEvents: async () => (async function* () {})(),
    close: () => executor.drained(),
    ...more,
  };
  return {
    runtime,
    notes: deps.notes,
    records,
    logged,
    announce,
    openGate: (name) => gateOf(deps.gates, name).resolve(),
    async waiting(name) {
      while (!deps.gates.has(name)) await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

async function* importLines(
  deps: Deps,
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<TransferEvent> {
  let read_bytes = 0;
  let text = '';
  for await (const chunk of source) {
    signal.throwIfAborted();
    read_bytes += chunk.length;
    text += Buffer.from(chunk).toString('utf8');
    yield { type: 'progress', read_bytes, stored: 0, skipped: 0, problems: 0 };
  }
  const lines = text.split('\n').filter((line) => line !== '');
  for (const line of lines) {
    const note_id = `note_${randomUUID()}`;
    deps.notes.set(note_id, { note_id, content: line, tags: [] });
  }
  const none = { updated: 0, skipped: 0, problems: 0, conversations: 0, redacted: 0, redacted_kinds: [] };
  yield { type: 'done', format: 'jsonl', stored: lines.length, ...none };
}

async function* exportLines(deps: Deps): AsyncGenerator<string> {
  for (const one of deps.notes.values()) yield `${JSON.stringify(one)}\n`;
}

/** A context for calling the executor directly. */
export function tinyContext(overrides: Partial<OperationContext> = {}): OperationContext {
  return {
    principal: {
      user_id: 'tester',
      agent_id: 'test',
      machine_id: 'here',
      credential: { kind: 'local', admin: true },
    },
    session: { key: 'ses_test', transport: 'internal' },
    request_id: 'req_test',
    signal: new AbortController().signal,
    reportProgress: () => undefined,
    ...overrides,
  };
}
