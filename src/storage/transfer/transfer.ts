// Moves a whole store: carried in batches, caught up with what changed meanwhile, verified, and only then put in place.
import { failure } from '../../kernel/errors.ts';
import { SCHEMA_VERSION } from '../migrations/index.ts';
import { type CopyContext, carryTable } from './copy.ts';
import type { TableProgress, TransferSource, TransferTarget } from './port.ts';
import { CARRIED, LEFT_OUT, unknownTables } from './registry.ts';
import { type VerifiedTable, verifyTable, verifyTexts } from './verify.ts';

/** How often a source that goes on changing is followed before the rest is said to be missing. */
const FOLLOW_MAX_ROUNDS = 3;

export interface TransferEvent {
  readonly type: 'progress';
  readonly phase: 'copy' | 'verify';
  readonly table: string;
  /** Of this table so far. */
  readonly rows: number;
  /** Of this table in the source. */
  readonly of: number;
}

export interface LeftOut {
  readonly table: string;
  readonly rows: number;
  readonly reason: string;
}

export interface TransferReport {
  /** Living ones. */
  readonly memories: number;
  readonly tables: readonly VerifiedTable[];
  readonly left_out: readonly LeftOut[];
  /** An earlier run was continued. */
  readonly resumed: boolean;
  /** Where the store that was in the place before lies now. */
  readonly kept: string | undefined;
  readonly notes: readonly string[];
}

export interface TransferOptions {
  openSource(): Promise<TransferSource>;
  /** `fresh` throws away what an earlier run left. */
  openTarget(fresh: boolean): Promise<TransferTarget>;
  /** What happens to an unfinished target: `resume` refuses one of another source, `resume_own` throws that away. */
  readonly unfinished: 'resume' | 'resume_own' | 'restart';
  /** Carries over also what the source gets while it is read. */
  readonly follow: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: TransferEvent) => void) | undefined;
}

/**
 * Runs or continues a transfer. Rejects with `conflict` where the target is being filled from another store,
 * `storage_corrupt` where verification finds a difference, and `cancelled`; the target's place is untouched then.
 */
export async function transfer(options: TransferOptions): Promise<TransferReport> {
  const opened: Opened = { source: await options.openSource(), target: undefined };
  try {
    await refuseUnknown(opened.source);
    opened.target = await openTargetFor(opened.source, options);
    return await run(opened, opened.target, options);
  } catch (error) {
    throw options.signal?.aborted ? interrupted(error) : error;
  } finally {
    await opened.target?.close();
    await opened.source.close();
  }
}

interface Opened {
  source: TransferSource;
  target: TransferTarget | undefined;
}

async function run(opened: Opened, target: TransferTarget, options: TransferOptions): Promise<TransferReport> {
  const resumed = (await target.header()) !== undefined;
  const notes: string[] = [];
  let carried: ReadonlyMap<string, TableProgress>;
  for (let round = 1; ; round++) {
    carried = await carryAll(opened.source, target, options);
    const behind = options.follow && (await isBehind(opened.source));
    if (behind && round === FOLLOW_MAX_ROUNDS) {
      notes.push(
        'The source is still being written: what it got last is not at the target. Stop its hubs, and move it again to an empty place.',
      );
    }
    if (!behind || round === FOLLOW_MAX_ROUNDS) break;
    await opened.source.close();
    opened.source = await options.openSource();
  }
  const { source } = opened;
  await target.finish(await source.counters());
  const tables = await verifyAll(source, target, carried, options);
  const report = {
    memories: await source.countLiving('memories'),
    tables,
    left_out: await leftOut(source),
    resumed,
    notes: [...source.notes, ...notes],
  };
  options.signal?.throwIfAborted();
  return { ...report, kept: await target.publish() };
}

async function isBehind(source: TransferSource): Promise<boolean> {
  return (await source.latestChange('now')) !== (await source.latestChange('here'));
}

async function carryAll(source: TransferSource, target: TransferTarget, options: TransferOptions) {
  const { mark, store_id } = source;
  const header = await target.header();
  const mode = header === undefined ? 'copy' : header.mark === mark ? header.mode : 'compare';
  if (header?.mark !== mark) await target.begin({ schema: SCHEMA_VERSION, store_id, mark, mode });
  const carried = new Map<string, TableProgress>();
  for (const table of CARRIED) {
    const onProgress = await reporter(source, table.table, 'copy', options);
    const ctx: CopyContext = { source, target, mode, signal: options.signal, onProgress };
    carried.set(table.table, await carryTable(ctx, table));
  }
  return carried;
}

async function verifyAll(
  source: TransferSource,
  target: TransferTarget,
  carried: ReadonlyMap<string, TableProgress>,
  options: TransferOptions,
): Promise<VerifiedTable[]> {
  const verified: VerifiedTable[] = [];
  for (const table of CARRIED) {
    const progress = carried.get(table.table);
    if (!progress) continue;
    const onProgress = await reporter(source, table.table, 'verify', options);
    verified.push(await verifyTable({ source, target, signal: options.signal, onProgress }, table, progress));
  }
  await verifyTexts(target);
  return verified;
}

async function reporter(
  source: TransferSource,
  table: string,
  phase: TransferEvent['phase'],
  options: TransferOptions,
) {
  const { onEvent } = options;
  if (!onEvent) return () => {};
  const of = await source.count(table);
  return (_: string, rows: number) => onEvent({ type: 'progress', phase, table, rows, of });
}

async function openTargetFor(source: TransferSource, options: TransferOptions): Promise<TransferTarget> {
  const target = await options.openTarget(options.unfinished === 'restart');
  try {
    const header = await target.header();
    // An empty store has no id yet: it may have got one since.
    const same = !header || header.store_id === null || header.store_id === source.store_id;
    if (same && (header?.schema ?? SCHEMA_VERSION) === SCHEMA_VERSION) {
      await expectSameColumns(source, target);
      return target;
    }
    if (options.unfinished === 'resume') {
      throw failure(
        'conflict',
        `${target.place} is half filled ${same ? 'by another version of haivemind' : 'from another store'}.`,
        'Finish that transfer with its own source, or add --restart to throw the unfinished copy away.',
      );
    }
  } catch (error) {
    await target.close();
    throw error;
  }
  await target.close();
  return options.openTarget(true);
}

async function refuseUnknown(source: TransferSource): Promise<void> {
  const unknown = unknownTables(await source.names());
  if (unknown.length === 0) return;
  throw failure(
    'conflict',
    `${source.place} has tables this program does not know: ${unknown.join(', ')}.`,
    'Move tables of other programs to a schema of their own, or update haivemind on this machine.',
  );
}

async function expectSameColumns(source: TransferSource, target: TransferTarget): Promise<void> {
  for (const { table } of CARRIED) {
    const [mine, other] = [await source.columns(table), await target.columns(table)];
    if (mine.join() === other.join()) continue;
    throw failure(
      'conflict',
      `Table ${table} has other columns in ${source.place} than in ${target.place}.`,
      'Update haivemind on this machine; `haivemind doctor` looks at the source.',
    );
  }
}

export async function leftOut(source: TransferSource): Promise<LeftOut[]> {
  const names = await source.names();
  const found: LeftOut[] = [];
  for (const [table, reason] of Object.entries(LEFT_OUT))
    if (names.includes(table)) found.push({ table, rows: await source.count(table), reason });
  return found;
}

function interrupted(cause: unknown) {
  return failure(
    'cancelled',
    'Interrupted; the place of the store was not touched.',
    'Run the same again: it goes on where it was.',
    { cause },
  );
}
