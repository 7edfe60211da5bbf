// What of a carried row is searched by its words: as the domain gives it to the text index when it stores the row.
import type { IndexedText } from '../text/port.ts';
import type { Row } from './port.ts';

export interface SearchedRow {
  readonly row_id: number;
  readonly text: IndexedText;
}

/** The living rows; deleted ones are found by nobody. */
export function searchedRows(rows: readonly Row[]): SearchedRow[] {
  return rows
    .filter((row) => row.deleted_at === null)
    .map((row) => ({
      row_id: Number(row.row_id),
      text: {
        body: String(row.content),
        extra: [row.context ?? '', ...(JSON.parse(String(row.tags)) as string[])].join(' '),
      },
    }));
}
