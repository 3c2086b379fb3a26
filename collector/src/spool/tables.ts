import { RowTable, type RowTableName, type SegmentTable } from '../model/spool.ts';
import type { TableEntry } from './format.ts';

/** All tables in the order of their bytes, which is the order in which a segment lists them. */
export const tableNames: readonly RowTableName[] = (Object.keys(RowTable) as RowTableName[]).sort(
  (a, b) => RowTable[a] - RowTable[b],
);

/**
 * What stands in a table's place for the journal of a record: bytes that detection reads again after a crash and that are
 * no rows of any table. Like the bytes of tables it never changes.
 */
export const journalByte = 128;

/** The same for a request as it came: its columns say of what kind it is, its rows how many records are in it. */
export const originalByte = 129;

export function tableByte(name: RowTableName): number {
  return RowTable[name];
}

export function isKnownTable(byte: number): boolean {
  return byte === journalByte || byte === originalByte || tableNames.some((name) => RowTable[name] === byte);
}

/** Rows and bytes per table, added up over records. */
export class TableTotals {
  readonly #totals = new Map<number, { columns: number; rows: number; bytes: number }>();

  add(tables: readonly TableEntry[]): void {
    for (const { table, columns, rows, bytes } of tables) {
      const total = this.#totals.get(table) ?? { columns, rows: 0, bytes: 0 };
      total.rows += rows;
      total.bytes += bytes;
      this.#totals.set(table, total);
    }
  }

  list(): SegmentTable[] {
    return tableNames.flatMap((table) => {
      const total = this.#totals.get(RowTable[table]);
      return total ? [{ table, ...total }] : [];
    });
  }
}
