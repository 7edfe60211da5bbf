// `migrate-store`: from a SQLite file to PostgreSQL or back, with everything checked before the first row moves.
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { failure } from '../../kernel/errors.ts';
import { keepEarlier, refuseWhileOpen } from '../backup.ts';
import { type PostgresSettings, placeOf } from '../postgres/pool.ts';
import { type StoreLocation, storeLocation } from './locations.ts';
import type { Present, TransferSource } from './port.ts';
import { connectTransfer } from './postgres-client.ts';
import { INCOMING, presentIn, refuseWhileHubs } from './postgres-place.ts';
import { currentSchema, openPostgresSource } from './postgres-source.ts';
import { tableNames } from './postgres-tables.ts';
import { openPostgresTarget } from './postgres-target.ts';
import { CARRIED } from './registry.ts';
import { openSqliteSource } from './sqlite-source.ts';
import { openSqliteTarget, presentAt, unfinishedFile } from './sqlite-target.ts';
import { type LeftOut, leftOut, type TransferEvent, type TransferReport, transfer } from './transfer.ts';

export interface MigrateRequest {
  /** `sqlite:<file or data directory>` or `postgres://...`; the two ends are of different kinds. */
  readonly from: string;
  readonly to: string;
  /** What relative paths start from. */
  readonly cwd: string;
  /** Password and authority for the database of this configuration, where one end is that. */
  readonly postgres?: PostgresSettings | undefined;
  readonly dry_run: boolean;
  /** Throws away what an interrupted run left at the target. */
  readonly restart: boolean;
  /** Refuses a data directory that a hub serves. */
  readonly guard: (end: 'from' | 'to', data_dir: string) => Promise<void>;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: TransferEvent) => void) | undefined;
}

export interface MigratePlan {
  readonly type: 'plan';
  readonly from: string;
  readonly to: string;
  readonly tables: readonly { readonly table: string; readonly rows: number }[];
  readonly left_out: readonly LeftOut[];
  /** What is at the target now. */
  readonly target: Present;
  /** An unfinished copy lies there, which a run would go on with. */
  readonly unfinished: boolean;
  readonly notes: readonly string[];
}

export type MigrateReport =
  | MigratePlan
  | (TransferReport & { readonly type: 'done'; readonly from: string; readonly to: string });

/**
 * Moves a store, or says what would be moved. Errors: `invalid_input` for places, `conflict` where the target holds a
 * store, `unavailable` where it is in use, and those of transfer.ts.
 */
export async function migrateStore(request: MigrateRequest): Promise<MigrateReport> {
  const from = locate(request.from, request);
  const to = locate(request.to, request);
  if (from.kind === to.kind)
    throw failure(
      'invalid_input',
      `Both ends are ${from.kind === 'sqlite' ? 'SQLite' : 'PostgreSQL'}.`,
      'This moves a store from one engine to the other; `haivemind backup` and `haivemind restore` copy one.',
    );
  for (const [end, place] of [
    ['from', from],
    ['to', to],
  ] as const)
    if (place.kind === 'sqlite') await request.guard(end, dirname(place.file));
  const target = await survey(to);
  const openSource = () => (from.kind === 'sqlite' ? openSqliteSource(from.file) : openPostgresSource(from.settings));
  if (request.dry_run) return plan(await openSource(), target);
  if (target.present === 'used')
    throw failure(
      'conflict',
      `${target.place} holds a store already.`,
      'Move into an empty place: another database or data directory. `haivemind restore` replaces a store.',
    );
  const { signal, onEvent } = request;
  const report = await transfer({
    openSource,
    openTarget: (fresh) => openTarget(to, fresh),
    unfinished: request.restart ? 'restart' : 'resume',
    follow: true,
    signal,
    onEvent,
  });
  return { type: 'done', from: placeName(from), to: target.place, ...report };
}

function locate(text: string, { cwd, postgres }: MigrateRequest): StoreLocation {
  const location = storeLocation(text, cwd);
  if (location.kind === 'sqlite' || !postgres || placeOf(postgres.url) !== placeOf(location.settings.url))
    return location;
  const { password, ca } = postgres;
  return { kind: 'postgres', settings: { ...location.settings, password: givenPassword(location, password), ca } };
}

/** One in the URL wins. */
function givenPassword({ settings }: { readonly settings: PostgresSettings }, configured: string | undefined) {
  return new URL(settings.url).password === '' ? configured : undefined;
}

const placeName = (location: StoreLocation): string =>
  location.kind === 'sqlite' ? location.file : placeOf(location.settings.url);

function openTarget(to: StoreLocation, fresh: boolean) {
  if (to.kind === 'postgres') return openPostgresTarget(to.settings, { fresh, replace: false });
  const { file } = to;
  const setAside = () => {
    if (!existsSync(file)) return undefined;
    if (presentAt(file) === 'used')
      throw failure('conflict', `${file} holds a store by now.`, 'Move into an empty place.');
    refuseWhileOpen(file);
    return keepEarlier(dirname(file), file);
  };
  return openSqliteTarget({ file, fresh, setAside });
}

interface Surveyed {
  readonly place: string;
  readonly present: Present;
  readonly unfinished: boolean;
}

/** Looks at the target without changing it. */
async function survey(to: StoreLocation): Promise<Surveyed> {
  if (to.kind === 'sqlite') {
    const { file } = to;
    if (existsSync(file)) refuseWhileOpen(file);
    return { place: file, present: presentAt(file), unfinished: existsSync(unfinishedFile(file)) };
  }
  const client = await connectTransfer(to.settings);
  try {
    await refuseWhileHubs(client);
    const present = await presentIn(client, await currentSchema(client));
    return { place: client.place, present, unfinished: (await tableNames(client, INCOMING)).length > 0 };
  } finally {
    await client.end();
  }
}

async function plan(source: TransferSource, target: Surveyed): Promise<MigratePlan> {
  try {
    const tables = [];
    for (const { table } of CARRIED) tables.push({ table, rows: await source.count(table) });
    return {
      type: 'plan',
      from: source.place,
      to: target.place,
      tables,
      left_out: await leftOut(source),
      target: target.present,
      unfinished: target.unfinished,
      notes: source.notes,
    };
  } finally {
    await source.close();
  }
}
