// A part whose records are the rows of a table: read by key, compared, inserted and updated the same way for all of them.
import type { z } from 'zod';
import type { VersionVector } from '../../../../storage/changes.ts';
import type { Json, JsonRecord } from '../canonical.ts';
import { type Columns, chunksOf, compareKeys, keyIn, keyName, recordOf, rowOf, sameBut, schemaOf } from './columns.ts';
import type {
  AnyReader,
  AnyStore,
  AnyTrx,
  Finding,
  Found,
  Key,
  ProjectPart,
  ProjectScope,
  RestoreContext,
  Row,
  Where,
} from './part.ts';

export interface TablePart {
  readonly name: string;
  readonly table: string;
  readonly key: readonly [string, ...string[]];
  readonly columns: Columns;
  readonly narrower?: Readonly<Record<string, z.ZodType<Json>>>;
  readonly history?: boolean;
  readonly immutable?: boolean;
  /** Rows of the project that the principal may see. */
  within(project: ProjectScope): Where;
  readonly needs?: ProjectPart['needs'];
  /** Fields that may differ in what is the same: counters and times of the store's own. */
  readonly ignored?: readonly string[];
  /** Tells which of two is newer; absent: none is. */
  readonly time?: string;
  /** Name in the change record of rows that are synchronised; the first column of the key is the id. */
  readonly entity?: string;
  /** A row as its record, where columns alone do not say it. */
  readonly record?: (row: Row) => JsonRecord;
  /** Puts it where it goes with the placement asked for. */
  readonly placed?: (record: JsonRecord, ctx: RestoreContext) => JsonRecord;
  /** Why the caller may not add it, or put it over the row that is here. Undefined where that is allowed. */
  readonly refuse?: (record: JsonRecord, row: Row | undefined, ctx: RestoreContext) => string | undefined;
  /** A last look at what differs or is absent, all at once: what only the store knows. */
  readonly judge?: (db: AnyReader, found: readonly Found[], ctx: RestoreContext) => Promise<readonly Found[]>;
  /** Columns of a new row besides the record's. */
  readonly fresh?: (record: JsonRecord, ctx: RestoreContext) => Row;
  /** Columns of a row that is put back besides the record's. */
  readonly renewed?: (row: Row, record: JsonRecord, ctx: RestoreContext) => Row;
  readonly removable?: ProjectPart['removable'];
  readonly refuseRemoval?: ProjectPart['refuseRemoval'];
  readonly remove?: ProjectPart['remove'];
  readonly begin?: ProjectPart['begin'];
  readonly finish?: ProjectPart['finish'];
  /** After rows were added or put back. */
  readonly written?: (
    trx: AnyTrx,
    found: readonly Found[],
    ctx: RestoreContext,
    how: 'add' | 'replace',
  ) => Promise<void>;
}

const CHUNK_COUNT = 200;

export const anyStore = (ctx: RestoreContext): AnyStore => ctx.deps.store as unknown as AnyStore;

export function tablePart(spec: TablePart): ProjectPart {
  const { name, key, columns, ignored = [] } = spec;
  const record = spec.record ?? ((row: Row) => recordOf(columns, row));
  return {
    name,
    history: spec.history ?? false,
    immutable: spec.immutable ?? false,
    schema: schemaOf(columns, spec.narrower),
    keyOf: (from) => keyIn(key, from),
    needs: spec.needs ?? (() => []),
    read: (db, project) => readAll(spec, record, db, project),
    async find(db, records, ctx) {
      const placed = ctx.placement && spec.placed ? records.map((one) => spec.placed?.(one, ctx) ?? one) : records;
      const rows = await rowsOf(spec, db, placed);
      const found = placed.map((one): Found => {
        const row = rows.get(keyName(keyIn(key, one)));
        return { record: one, row, finding: compared(one, row && record(row), ignored, spec.time) };
      });
      const judged = spec.judge ? await spec.judge(db, found, ctx) : found;
      return judged.map((one) => {
        if (one.finding.kind === 'same' || one.finding.kind === 'conflict' || one.finding.kind === 'kept') return one;
        const reason = spec.refuse?.(one.record, one.row, ctx);
        return reason === undefined ? one : { ...one, finding: { kind: 'conflict', reason } };
      });
    },
    async add(trx, found, ctx) {
      for (const some of chunksOf(found, CHUNK_COUNT)) {
        const rows: Row[] = [];
        for (const one of some)
          rows.push({
            ...rowOf(columns, one.record),
            ...spec.fresh?.(one.record, ctx),
            ...(await recorded(spec, trx, one, ctx)),
          });
        await trx.insertInto(spec.table).values(rows).execute();
        await spec.written?.(trx, some, ctx, 'add');
      }
    },
    async replace(trx, found, ctx) {
      for (const one of found) {
        const values = { ...rowOf(columns, one.record), ...spec.renewed?.(one.row ?? {}, one.record, ctx) };
        let query = trx.updateTable(spec.table).set({ ...values, ...(await recorded(spec, trx, one, ctx)) });
        for (const column of key) query = query.where(column, '=', one.record[column]);
        await query.execute();
      }
      await spec.written?.(trx, found, ctx, 'replace');
    },
    ...(spec.removable ? { removable: spec.removable } : {}),
    ...(spec.refuseRemoval ? { refuseRemoval: spec.refuseRemoval } : {}),
    ...(spec.remove ? { remove: spec.remove } : {}),
    ...(spec.begin ? { begin: spec.begin } : {}),
    ...(spec.finish ? { finish: spec.finish } : {}),
  };
}

function compared(
  record: JsonRecord,
  here: JsonRecord | undefined,
  ignored: readonly string[],
  time: string | undefined,
): Finding {
  if (!here) return { kind: 'absent' };
  if (sameBut(ignored, record, here)) return { kind: 'same' };
  if (time === undefined) return { kind: 'other' };
  const [theirs, ours] = [String(record[time]), String(here[time])];
  return { kind: theirs > ours ? 'newer' : theirs < ours ? 'older' : 'other' };
}

async function* readAll(
  { table, key, columns, within }: TablePart,
  record: (row: Row) => JsonRecord,
  db: AnyReader,
  project: ProjectScope,
): AsyncGenerator<readonly JsonRecord[]> {
  const [first] = key;
  const found = await db.selectFrom(table).select(first).distinct().where(within(project)).execute();
  const ids = found.map((row) => row[first] as string).sort((a, b) => compareKeys([a], [b]));
  for (const some of chunksOf(ids, CHUNK_COUNT)) {
    const rows = await db
      .selectFrom(table)
      .select([...Object.keys(columns), ...BESIDES(table)])
      .where(first, 'in', some)
      .where(within(project))
      .execute();
    yield rows.sort((a, b) => compareKeys(keyIn(key, a), keyIn(key, b))).map(record);
  }
}

/** Columns that are no fields and are looked at all the same. */
const BESIDES = (table: string): readonly string[] => (table === 'memories' ? ['identity_hash'] : []);

async function rowsOf(
  { table, key }: TablePart,
  db: AnyReader,
  records: readonly JsonRecord[],
): Promise<ReadonlyMap<string, Row>> {
  const [first] = key;
  const out = new Map<string, Row>();
  const ids = [...new Set(records.map((record) => record[first] as string))];
  for (const some of chunksOf(ids, CHUNK_COUNT)) {
    const rows = await db.selectFrom(table).selectAll().where(first, 'in', some).execute();
    for (const row of rows) out.set(keyName(keyIn(key, row)), row);
  }
  return out;
}

/** Change record and version columns of a synchronised row. */
async function recorded(
  { entity, key }: TablePart,
  trx: AnyTrx,
  { record, row }: Found,
  ctx: RestoreContext,
): Promise<Row> {
  if (entity === undefined) return {};
  const before = row ? (JSON.parse(String(row.version_vector)) as VersionVector) : {};
  const change = { entity, entity_id: String(record[key[0]]), kind: 'put', before } as const;
  return { ...(await anyStore(ctx).recordChange(trx as never, change)) };
}

/** Keys of a table's rows within the project. */
export async function keysWithin(
  spec: Pick<TablePart, 'table' | 'key' | 'within'>,
  db: AnyReader,
  project: ProjectScope,
): Promise<Key[]> {
  const rows = await db
    .selectFrom(spec.table)
    .select([...spec.key])
    .where(spec.within(project))
    .execute();
  return rows.map((row) => keyIn(spec.key, row));
}
