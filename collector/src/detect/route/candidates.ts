import { byContents } from '../../model/by-contents.ts';
import type { LiteralId, LiteralScanner } from '../literal-scanner.ts';
import type { Cursor, Reader } from '../reader.ts';
import type { View } from '../views.ts';
import type { Witness, Witnesses } from './witness.ts';

/** Which rules can match the span that the cursor stands on: their places, ascending. */
export type Candidates = (cursor: Cursor) => readonly number[];

export interface CandidatesOptions {
  /** The rules that are asked about, ascending. */
  readonly places: readonly number[];
  /** By place; rules without witnesses are always candidates. */
  readonly witnesses: readonly (Witnesses | undefined)[];
  readonly readerOf: (field: string) => Reader;
  readonly scanner: LiteralScanner;
}

/** One look at each field that some rule has a witness in, instead of one at each rule. */
export function createCandidates({ places, witnesses, readerOf, scanner }: CandidatesOptions): Candidates {
  const columns = new Map<string, ColumnDraft>();
  const marks = new Uint32Array((witnesses.length + 31) >>> 5);
  const always = new Uint32Array(marks.length);
  for (const place of places) {
    if (witnesses[place] === undefined) mark(always, place);
    for (const witness of witnesses[place] ?? []) {
      const column = columnOf(columns, witness, readerOf);
      const id = witness.literal === undefined ? undefined : scanner.add(witness.literal);
      if (id === undefined) column.present.push(place);
      else addTo(column.byLiteral, id, place);
    }
  }
  const columnsFor = byContents([...columns.values()].map(columnFrom), ({ reader }) => reader.field);
  return (cursor) => {
    marks.set(always);
    for (const column of columnsFor(cursor.events, cursor.span)) look(column, cursor, scanner, marks);
    return placesOf(marks);
  };
}

/** A field, as it is or in a view, and the rules for which it is a witness. */
interface Column {
  readonly reader: Reader;
  readonly view: View | undefined;
  /** Rules that want no more than the field. */
  readonly present: readonly number[];
  /** By literal; every text holds some that are of other columns, and a place in a list is found sooner than one in a map. */
  readonly byLiteral: readonly (readonly number[] | undefined)[];
}

interface ColumnDraft extends Omit<Column, 'byLiteral' | 'present'> {
  readonly present: number[];
  readonly byLiteral: Map<LiteralId, number[]>;
}

function columnFrom({ byLiteral, ...column }: ColumnDraft): Column {
  let length = 0;
  for (const id of byLiteral.keys()) length = Math.max(length, id + 1);
  const list = new Array<readonly number[] | undefined>(length).fill(undefined);
  for (const [id, places] of byLiteral) list[id] = places;
  return { ...column, byLiteral: list };
}

function columnOf(
  columns: Map<string, ColumnDraft>,
  { field, view }: Witness,
  readerOf: (field: string) => Reader,
): ColumnDraft {
  const key = `${view ?? ''}|${field}`;
  const known = columns.get(key);
  if (known) return known;
  const column: ColumnDraft = { reader: readerOf(field), view, present: [], byLiteral: new Map() };
  columns.set(key, column);
  return column;
}

function look(column: Column, cursor: Cursor, scanner: LiteralScanner, marks: Uint32Array): void {
  const members = column.reader.read(cursor);
  if (members === undefined) return;
  for (const place of column.present) mark(marks, place);
  if (column.byLiteral.length === 0) return;
  for (const member of members) {
    if (column.view === undefined) markHits(column, scanner.hits(member), marks);
    else for (const shown of member.view(column.view)) markHits(column, scanner.hits(shown), marks);
  }
}

function markHits({ byLiteral }: Column, hits: Int32Array, marks: Uint32Array): void {
  for (let at = 0; at < hits.length; at++) {
    const id = hits[at]!;
    const places = id < byLiteral.length ? byLiteral[id] : undefined;
    if (places !== undefined) for (const place of places) mark(marks, place);
  }
}

function addTo(byLiteral: Map<LiteralId, number[]>, id: LiteralId, place: number): void {
  const places = byLiteral.get(id);
  if (places) places.push(place);
  else byLiteral.set(id, [place]);
}

function mark(marks: Uint32Array, place: number): void {
  marks[place >>> 5]! |= 1 << (place & 31);
}

function placesOf(marks: Uint32Array): number[] {
  const places: number[] = [];
  for (let word = 0; word < marks.length; word++) {
    for (let bits = marks[word]!; bits !== 0; bits &= bits - 1) {
      places.push(word * 32 + 31 - Math.clz32(bits & -bits));
    }
  }
  return places;
}
