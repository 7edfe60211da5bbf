// Everything the store holds of one user, page by page: each page goes on where the one before ended, in constant memory.
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { toIso } from '../../kernel/clock.ts';
import { decodeCursor, encodeCursor } from '../../kernel/cursor.ts';
import { failure } from '../../kernel/errors.ts';
import { EXPORT_FORMS, type ExportFormat } from './formats.ts';
import { PERSONAL, type PersonalTable } from './personal-data.ts';
import { type AnyReader, isNamed, isOwn, keyOf, namingColumns, pageOf, type Row } from './rows.ts';

/** A page ends after the row that reaches it. */
const PAGE_TEXT_CHARS = 60_000;
const ROWS_PER_QUERY = 50;

export const EXPORT_NOTES = [
  'Values of secrets are not in here: `haivemind vault export` writes them to an encrypted file.',
  'Texts of tokens are not in here: the hub does not keep them.',
  'Of rows that are somebody else\'s and name you ("named"), only who, what kind and when is given.',
] as const;

export interface ExportRequest {
  readonly user_id: string;
  readonly format: ExportFormat;
  /** Rows at most. */
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface ExportPage {
  readonly text: string;
  readonly rows: number;
  readonly next_cursor: string | null;
}

/** Throws `invalid_input` for a cursor that is not one of an export. */
export async function exportPage(db: AnyReader, now_ms: number, request: ExportRequest): Promise<ExportPage> {
  const form = EXPORT_FORMS[request.format];
  const from = positionOf(request.cursor);
  let text = '';
  if (request.cursor === undefined)
    text += form.begin({ user_id: request.user_id, exported_at: toIso(now_ms), notes: EXPORT_NOTES });
  let rows = 0;
  let written = from.written;
  for (let part = from.part; part < PARTS.length; part++) {
    const { spec, relation } = PARTS[part] as Part;
    let after = part === from.part ? from.after : undefined;
    let begins_table = after === undefined && (relation === 'own' || !written.endsWith(`:${spec.table}`));
    for (;;) {
      const limit = Math.min(ROWS_PER_QUERY, request.limit - rows);
      const found = await readPart(db, PARTS[part] as Part, request.user_id, after, limit);
      for (const row of found) {
        const record_id = keyOf(spec, row).join(' ');
        const fields = fieldsOf(PARTS[part] as Part, row, request.user_id);
        text += form.row({ table: spec.table, relation, record_id, fields, begins_table, begins_document: !written });
        written = `:${spec.table}`;
        begins_table = false;
        rows++;
        after = keyOf(spec, row);
        if (rows >= request.limit || text.length >= PAGE_TEXT_CHARS)
          return { text, rows, next_cursor: encodeCursor([JSON.stringify([written, ...after]), part]) };
      }
      if (found.length < limit) break;
    }
  }
  return { text: text + form.end(), rows, next_cursor: null };
}

interface Part {
  readonly spec: PersonalTable;
  readonly relation: 'own' | 'named';
}

/** Parents before what belongs to them, as people read it. */
const PARTS: readonly Part[] = PERSONAL.flatMap((spec) => [
  { spec, relation: 'own' as const },
  ...(namingColumns(spec).length > 0 ? [{ spec, relation: 'named' as const }] : []),
]);

function readPart(
  db: AnyReader,
  { spec, relation }: Part,
  user_id: string,
  after: readonly (string | number)[] | undefined,
  limit: number,
): Promise<readonly Row[]> {
  const condition = relation === 'own' ? ownRows(spec, user_id) : isNamed(spec, user_id);
  return pageOf(db, spec, { condition, columns: Object.keys(spec.columns), after, limit });
}

/** What the log says of others' acts that concerned the user is the user's as well. */
function ownRows(spec: PersonalTable, user_id: string): RawBuilder<SqlBool> {
  const own = isOwn(spec, user_id);
  const concerned = sql<SqlBool>`exists (select 1 from audit_subjects where audit_subjects.user_id = ${user_id}
    and audit_details.details like '%"affected":"' || audit_subjects.subject_id || '"%')`;
  if (spec.table === 'audit_details') return sql<SqlBool>`(${own} or ${concerned})`;
  if (spec.table !== 'audit_log') return own;
  return sql<SqlBool>`(${own} or exists (
    select 1 from audit_details where audit_details.seq = audit_log.seq and ${concerned}))`;
}

function fieldsOf({ spec, relation }: Part, row: Row, user_id: string): Row {
  const classes = relation === 'own' ? OWN_CLASSES : NAMED_CLASSES;
  const fields: Record<string, unknown> = {};
  for (const [column, kind] of Object.entries(spec.columns)) {
    // Who else is named in somebody else's row is not the user's business.
    if (!classes.has(kind) && row[column] !== user_id) continue;
    fields[column] = kind === 'json' ? parsed(row[column]) : row[column];
  }
  return fields;
}

const OWN_CLASSES: ReadonlySet<string> = new Set(['owner', 'name', 'text', 'json', 'bound', 'fact']);
const NAMED_CLASSES: ReadonlySet<string> = new Set(['fact']);

function parsed(value: unknown): unknown {
  return typeof value === 'string' ? (JSON.parse(value) as unknown) : (value ?? null);
}

interface Position {
  readonly part: number;
  readonly after: readonly (string | number)[] | undefined;
  /** Empty before the first row; then the table of the last one. */
  readonly written: string;
}

function positionOf(cursor: string | undefined): Position {
  if (cursor === undefined) return { part: 0, after: undefined, written: '' };
  const [key, part] = decodeCursor(cursor, 2);
  const spec = PARTS[Number(part)]?.spec;
  const position = parseKey(String(key));
  if (!spec || position?.length !== spec.key.length + 1)
    throw failure('invalid_input', 'cursor is not one of this export.', 'Leave cursor out to begin at the first page.');
  const [written, ...after] = position;
  return { part: Number(part), after, written: String(written) };
}

function parseKey(key: string): (string | number)[] | undefined {
  try {
    const parts: unknown = JSON.parse(key);
    const valid = Array.isArray(parts) && parts.every((part) => typeof part === 'string' || typeof part === 'number');
    return valid ? (parts as (string | number)[]) : undefined;
  } catch {
    return undefined;
  }
}
