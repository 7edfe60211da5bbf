// A part whose records are the rows of a table: read by key, compared, inserted and updated the same way for all of them.
import type { z } from 'zod';
import type { VersionVector } from '../../../../storage/changes.ts';
import type { Json, JsonRecord } from '../canonical.ts';
import { type Columns, chunksOf, keyIn, keyName, recordOf, rowOf, sameBut, schemaOf } from './columns.ts';
import type {
  Admitted,
  AnyReader,
  AnyStore,
  AnyTrx,
  Finding,
  Found,
  ProjectPart,
  ProjectScope,
  RestoreContext,
  Row,
  Where,
} from './part.ts';
import { CHUNK_COUNT, readAll, rowsOf } from './table-rows.ts';
import { type Texts, withoutSecrets } from './without-secrets.ts';

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
  /**
   * Why the caller may not add it, or put it over the row that is here; undefined where that is allowed. Asked before
   * anything is compared. `parent`: what the record belongs to; a record of a parent that did not pass never comes here.
   */
  readonly refuse?: (
    record: JsonRecord,
    row: Row | undefined,
    ctx: RestoreContext,
    parent: Admitted | undefined,
  ) => string | undefined | Promise<string | undefined>;
  /** Texts in which secrets are looked for. */
  readonly texts?: Texts;
  /** How a record comes in where it is not here already: follows what it belongs to. */
  readonly settled?: (record: JsonRecord, parent: Admitted | undefined, ctx: RestoreContext) => JsonRecord;
  /** A last look at what passed, all at once: what only the store knows. */
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

export const anyStore = (ctx: RestoreContext): AnyStore => ctx.deps.store as unknown as AnyStore;

export function tablePart(spec: TablePart): ProjectPart {
  const { name, key, columns } = spec;
  const record = spec.record ?? ((row: Row) => recordOf(columns, row));
  return {
    name,
    history: spec.history ?? false,
    immutable: spec.immutable ?? false,
    schema: schemaOf(columns, spec.narrower),
    keyOf: (from) => keyIn(key, from),
    needs: spec.needs ?? (() => []),
    read: (db, project) => readAll(spec, record, db, project),
    find: (db, records, ctx) => findAll(spec, record, db, records, ctx),
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

/** Rights first: what does not pass is neither compared nor looked for further. */
async function findAll(
  spec: TablePart,
  recordFrom: (row: Row) => JsonRecord,
  db: AnyReader,
  records: readonly JsonRecord[],
  ctx: RestoreContext,
): Promise<readonly Found[]> {
  const { key, ignored = [], placed, refuse, settled, time, texts, judge } = spec;
  const stopped: Found[] = [];
  const asked: { readonly record: JsonRecord; readonly parent: Admitted | undefined }[] = [];
  for (const each of records) {
    const record = ctx.placement && placed ? placed(each, ctx) : each;
    const [need] = spec.needs?.(record) ?? [];
    const parent = need && ctx.admitted.get(need.part)?.get(keyName(need.key));
    if (need && !parent) stopped.push({ record, row: undefined, finding: { kind: 'kept', reason: STAYS_OUT } });
    else asked.push({ record, parent });
  }
  const rows = await rowsOf(
    spec,
    db,
    asked.map(({ record }) => record),
  );
  const passed: Found[] = [];
  for (const { record, parent } of asked) {
    const row = rows.get(keyName(keyIn(key, record)));
    const reason = await refuse?.(record, row, ctx, parent);
    if (reason !== undefined) {
      stopped.push({ record, row: undefined, finding: { kind: 'conflict', reason } });
      continue;
    }
    const here = row && recordFrom(row);
    if (here && sameBut(ignored, record, here)) {
      passed.push({ record, row, finding: { kind: 'same' } });
      continue;
    }
    const clean = texts ? await withoutSecrets(ctx.deps.memory.redact, texts, record) : record;
    const coming = settled ? settled(clean, parent, ctx) : clean;
    passed.push({ record: coming, row, finding: compared(coming, here, ignored, time) });
  }
  const judged = judge && passed.length > 0 ? await judge(db, passed, ctx) : passed;
  admit(spec, judged, ctx);
  return [...stopped, ...judged];
}

const STAYS_OUT = 'what it belongs to stays out';

/** Remembers what passed, for what belongs to it. */
function admit({ name, key }: TablePart, found: readonly Found[], { admitted, project }: RestoreContext): void {
  const those = admitted.get(name) ?? new Map<string, Admitted>();
  admitted.set(name, those);
  for (const { record, row, finding } of found) {
    if (finding.kind === 'conflict' || finding.kind === 'kept') continue;
    const { scope, team_id, user_id, project_id, version } = (row ?? record) as Row & Partial<Admitted>;
    those.set(keyName(keyIn(key, record)), {
      ...{ scope: String(scope), team_id: team_id ?? null, user_id: String(user_id), project_id: project_id ?? null },
      version: Number(version),
      names: name === 'project' ? [project.name, String(record.name), String(record.project_id)] : [],
    });
  }
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
