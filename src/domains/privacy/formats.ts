// The three forms of an export, each written row by row so that the pieces of all pages, joined, are one document.
import type { Row } from './rows.ts';

export const EXPORT_FORMATS = ['json', 'csv', 'markdown'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export interface ExportedRow {
  readonly table: string;
  /** `own`: the user's row. `named`: somebody else's that names the user; only who and when is given. */
  readonly relation: 'own' | 'named';
  readonly record_id: string;
  readonly fields: Row;
  /** The first row of its table in the whole document. */
  readonly begins_table: boolean;
  /** The first row of the whole document. */
  readonly begins_document: boolean;
}

export interface ExportForm {
  begin(about: { readonly user_id: string; readonly exported_at: string; readonly notes: readonly string[] }): string;
  row(row: ExportedRow): string;
  end(): string;
}

export const EXPORT_FORMS: Readonly<Record<ExportFormat, ExportForm>> = {
  json: {
    begin: (about) => `${JSON.stringify({ format: 'haivemind-personal-data/1', ...about }).slice(0, -1)},"records":[`,
    row: ({ table, relation, fields, begins_document }) =>
      `${begins_document ? '' : ','}\n${JSON.stringify({ table, relation, fields })}`,
    end: () => '\n]}\n',
  },
  csv: {
    begin: () => 'table,relation,record_id,field,value\r\n',
    row: ({ table, relation, record_id, fields }) =>
      Object.entries(fields)
        .filter(([, value]) => value !== null)
        .map(([field, value]) => `${[table, relation, record_id, field, asText(value)].map(csvField).join(',')}\r\n`)
        .join(''),
    end: () => '',
  },
  markdown: {
    begin: ({ user_id, exported_at, notes }) =>
      `# Personal data of ${oneLine(user_id)}\n\nExported ${exported_at}.\n\n${notes.map((note) => `- ${note}\n`).join('')}`,
    row: ({ table, relation, record_id, fields, begins_table }) =>
      `${begins_table ? `\n## ${table}\n` : ''}\n### ${oneLine(record_id)}${relation === 'own' ? '' : ' (names you)'}\n\n${Object.entries(
        fields,
      )
        .filter(([, value]) => value !== null)
        .map(([field, value]) => `- ${field}: ${indented(asText(value))}\n`)
        .join('')}`,
    end: () => '',
  },
};

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** RFC 4180. A leading sign that a spreadsheet would run as a formula gets an apostrophe. */
function csvField(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) && !/^-?[0-9.]+$/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}

/** Further lines stay part of their list item. */
function indented(text: string): string {
  return text.replaceAll('\n', '\n  ');
}
