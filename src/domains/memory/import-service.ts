// Imports: parsed items become memories in batches; what cannot be stored is reported with its place and skipped.
import { failure, HaivemindError, toErrorBody } from '../../kernel/errors.ts';
import { parseMoment } from '../../kernel/moments.ts';
import {
  externalId,
  type ImportCounts,
  type ImportFormat,
  type ImportItem,
  type ImportPosition,
  type ImportProblem,
  openImport,
} from './import/index.ts';
import type { Caller, RuleDeps } from './rules/deps.ts';
import { placeOf } from './rules/place.ts';
import { type StoreExtras, type StoreResult, storeBatch, storeMemory } from './rules/store.ts';
import { type NewMemory, newMemorySchema, type Scope } from './schema.ts';

/** Rows a commit: large enough that the disk's fsync does not count, small enough that others get the write lock. */
const BATCH_COUNT = 100;

/** Formats a caller may name; without a name the content decides. */
export const IMPORT_FORMATS = [
  'claude-code',
  'chatgpt',
  'claude-ai',
  'messages',
  'records',
  'markdown',
  'transcript',
] as const satisfies readonly ImportFormat[];

export interface ImportRequest {
  readonly source: string | AsyncIterable<Uint8Array | string>;
  readonly format?: ImportFormat | undefined;
  readonly name?: string | undefined;
  readonly title?: string | undefined;
  readonly project?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly scope?: Scope | undefined;
  /** All goes to this team, whatever the mode and the records say; `scope` is team then or left out. */
  readonly team_id?: string | undefined;
  readonly signal: AbortSignal;
}

export interface ImportTotals {
  stored: number;
  /** Known from an earlier import and renewed, because the source says more now. */
  updated: number;
  /** There already: the same source was imported before, or the same text is known. */
  skipped: number;
  problems: number;
  conversations: number;
  redacted: number;
  /** What kinds of secrets these were. */
  redacted_kinds: string[];
  first_memory_ids: string[];
}

export type ImportStep =
  | { readonly type: 'progress'; readonly position: ImportPosition; readonly totals: ImportTotals }
  | ImportProblem
  | { readonly type: 'done'; readonly totals: ImportTotals; readonly counts: ImportCounts };

/** Where an import goes, as far as its request says. */
export type ImportPlace = Pick<ImportRequest, 'scope' | 'team_id'>;

export interface MemoryImport {
  /**
   * Throws what the whole import is refused with: `forbidden` where the caller may not write where it goes, `not_found`
   * for a team they are not in, `invalid_input` for a team with another scope or none chosen.
   */
  assertPlace(place: ImportPlace, caller: Caller): void;
  /** Asserts the place before anything is read. */
  run(request: ImportRequest, caller: Caller): AsyncIterable<ImportStep>;
}

interface Parsed {
  readonly input: NewMemory;
  readonly extras: StoreExtras;
  readonly position: ImportPosition;
}

export function createMemoryImport(deps: RuleDeps): MemoryImport {
  return { assertPlace, run: (request, caller) => run(deps, request, caller) };
}

function assertPlace({ scope, team_id }: ImportPlace, caller: Caller): void {
  if (team_id !== undefined && (scope ?? 'team') !== 'team')
    throw failure(
      'invalid_input',
      `An import into a team has scope team, not ${scope}.`,
      'Leave out the team or the scope.',
    );
  placeOf(caller, scopeOf({ scope, team_id }), team_id);
}

/** The scope of everything in it; undefined where each item has its own. */
function scopeOf({ scope, team_id }: ImportPlace): Scope | undefined {
  return team_id === undefined ? scope : 'team';
}

async function* run(deps: RuleDeps, request: ImportRequest, caller: Caller): AsyncGenerator<ImportStep> {
  const totals: ImportTotals = {
    stored: 0,
    updated: 0,
    skipped: 0,
    problems: 0,
    conversations: 0,
    redacted: 0,
    redacted_kinds: [],
    first_memory_ids: [],
  };
  // Said once and before anything is read, instead of once for each item.
  assertPlace(request, caller);
  let batch: Parsed[] = [];
  const { source, signal, scope: _scope, team_id: _team_id, ...rest } = request;
  const options = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  for await (const event of openImport(source, { ...options, redact: deps.redact, signal })) {
    if (event.type === 'problem') {
      totals.problems++;
      yield event;
    } else if (event.type === 'conversation') totals.conversations++;
    else if (event.type === 'item') {
      const parsed = parseItem(event.item, request, event.position);
      noteSecrets(totals, event.item.redactions ?? []);
      if (parsed.type === 'problem') {
        totals.problems++;
        yield parsed;
      } else batch.push(parsed.item);
      if (batch.length < BATCH_COUNT) continue;
      yield* storeAll(deps, batch, caller, totals);
      batch = [];
      yield { type: 'progress', position: event.position, totals: { ...totals } };
    } else {
      yield* storeAll(deps, batch, caller, totals);
      yield { type: 'done', totals: { ...totals }, counts: event.counts };
    }
  }
}

function parseItem(
  item: ImportItem,
  request: ImportRequest,
  position: ImportPosition,
): { type: 'item'; item: Parsed } | ImportProblem {
  const { external_id, source, redactions: _redactions, extra, ...fields } = item;
  const known = Object.fromEntries(Object.entries(extra ?? {}).filter(([key]) => key in newMemorySchema.shape));
  const forced = scopeOf(request);
  const scope = forced === undefined ? {} : { scope: forced };
  // A memory from another store happened when it was stored there, unless it says otherwise.
  const stored_at = typeof extra?.created_at === 'string' ? parseMoment(extra.created_at) : undefined;
  const happened = stored_at === undefined ? {} : { occurred_at: stored_at };
  const result = newMemorySchema.safeParse({ ...happened, ...known, ...fields, ...scope });
  if (result.success) {
    const { supersedes } = result.data;
    const extras = {
      external_id,
      source: source.startsWith('import:') ? source : `import:${source}`,
      skip_twin: true,
      ...(typeof extra?.memory_id === 'string' ? { exported_memory_id: extra.memory_id } : {}),
      ...teamOf(request, result.data, extra?.team_id),
      ...(supersedes === undefined ? {} : { supersedes_external_id: externalId('memory', supersedes) }),
    };
    return { type: 'item', item: { input: result.data, extras, position } };
  }
  const issue = result.error.issues[0];
  const message = `${issue?.path.join('.') ?? 'item'}: ${issue?.message ?? 'is not valid'}`;
  const place = {
    ...(position.line === undefined ? {} : { line: position.line }),
    ...(position.path === undefined ? {} : { path: position.path }),
  };
  return { type: 'problem', code: 'invalid_field', message, ...place };
}

/** The team of the request, or else that of the record where the request leaves the scope to it. */
function teamOf(request: ImportPlace, { scope }: NewMemory, recorded: unknown): Pick<StoreExtras, 'team_id'> {
  if (request.team_id !== undefined) return { team_id: request.team_id };
  return request.scope === undefined && scope === 'team' && typeof recorded === 'string' ? { team_id: recorded } : {};
}

function noteSecrets(totals: ImportTotals, kinds: readonly string[]): void {
  totals.redacted += kinds.length;
  totals.redacted_kinds = [...new Set([...totals.redacted_kinds, ...kinds])].sort();
}

async function* storeAll(
  deps: RuleDeps,
  batch: readonly Parsed[],
  caller: Caller,
  totals: ImportTotals,
): AsyncGenerator<ImportStep> {
  if (batch.length === 0) return;
  const count = (results: readonly Pick<StoreResult, 'created' | 'changed' | 'memory_id' | 'redacted'>[]) => {
    for (const result of results) {
      if (!result.created) {
        if (result.changed) totals.updated++;
        else totals.skipped++;
        continue;
      }
      totals.stored++;
      noteSecrets(totals, result.redacted);
      if (totals.first_memory_ids.length < 10) totals.first_memory_ids.push(result.memory_id);
    }
  };
  try {
    count(await storeBatch(deps, batch, caller));
    return;
  } catch (error) {
    if (!isOfItem(error)) throw error;
  }
  // One bad item fails its batch; alone, each tells its own story.
  for (const item of batch) {
    try {
      count([await storeMemory(deps, item.input, caller, item.extras)]);
    } catch (error) {
      if (!isOfItem(error)) throw error;
      totals.problems++;
      const { line, path } = item.position;
      const place = { ...(line === undefined ? {} : { line }), ...(path === undefined ? {} : { path }) };
      yield { type: 'problem', code: 'invalid_field', message: toErrorBody(error).message, ...place };
    }
  }
}

/** Errors that an item brings with it; a full disk, say, is none, and ends the import: it goes on where it is repeated. */
const ITEM_CODES: ReadonlySet<string> = new Set([
  'invalid_input',
  'not_found',
  'conflict',
  'forbidden',
  'limit_exceeded',
]);

function isOfItem(error: unknown): error is HaivemindError {
  return error instanceof HaivemindError && ITEM_CODES.has(error.code);
}
