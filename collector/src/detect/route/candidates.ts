import { byContents } from '../../model/by-contents.ts';
import type { LiteralScanner } from '../literal-scanner.ts';
import type { Cursor, Reader } from '../reader.ts';
import type { View } from '../views.ts';
import type { Screen } from './screen.ts';
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
  readonly screen: Screen;
}

/** One look at each field that some rule has a witness in, instead of one at each rule. */
export function createCandidates({ places, witnesses, readerOf, scanner, screen }: CandidatesOptions): Candidates {
  const columns: Columns = new Map();
  const marks = new Uint32Array((witnesses.length + 31) >>> 5);
  const always = new Uint32Array(marks.length);
  for (const place of places) {
    if (witnesses[place] === undefined) mark(always, place);
    for (const witness of witnesses[place] ?? []) {
      const column = columnOf(columns, witness, readerOf);
      const id = witness.literal === undefined ? undefined : scanner.add(witness.literal);
      if (id === undefined) column.present.push(place);
      else column.shown.push(id, place);
    }
  }
  const columnsFor = byContents(
    [...columns.values()].flatMap((each) => [...each.values()]).map((draft) => columnFrom(draft, screen)),
    ({ reader }) => reader.field,
  );
  return (cursor) => {
    marks.set(always);
    for (const column of columnsFor(cursor.events, cursor.span)) {
      const { screened, reader, view } = column;
      if (screened === undefined || !screen.lacks(cursor, reader.field!, view, screened))
        look(column, cursor, scanner, marks);
    }
    return placesOf(marks);
  };
}

/** A field, as it is or in a view, and the rules for which it is a witness. */
interface Column {
  readonly field: string;
  readonly reader: Reader;
  readonly view: View | undefined;
  /** Rules that want no more than the field. */
  readonly present: readonly number[];
  /** By literal, where its rules start in `places`; they end where those of the next one start. */
  readonly starts: Int32Array;
  readonly places: Int32Array;
  /** The column of the screen; undefined where it cannot be asked. */
  readonly screened: number | undefined;
}

interface ColumnDraft extends Pick<Column, 'reader' | 'view' | 'field'> {
  readonly present: number[];
  /** Literals, each with a rule behind it. */
  readonly shown: number[];
}

type Columns = Map<View | undefined, Map<string, ColumnDraft>>;

function columnFrom({ shown, ...column }: ColumnDraft, screen: Screen): Column {
  let length = 0;
  for (let at = 0; at < shown.length; at += 2) length = Math.max(length, shown[at]! + 1);
  const starts = new Int32Array(length + 1);
  for (let at = 0; at < shown.length; at += 2) starts[shown[at]! + 1]!++;
  for (let id = 0; id < length; id++) starts[id + 1]! += starts[id]!;
  const places = new Int32Array(shown.length / 2);
  const next = starts.slice();
  for (let at = 0; at < shown.length; at += 2) places[next[shown[at]!]!++] = shown[at + 1]!;
  const screened = column.present.length > 0 ? undefined : screen.columnOf(column.field, column.view);
  return { ...column, starts, places, screened };
}

function columnOf(columns: Columns, { field, view }: Witness, readerOf: (field: string) => Reader): ColumnDraft {
  const fields = columns.get(view) ?? new Map<string, ColumnDraft>();
  columns.set(view, fields);
  const known = fields.get(field);
  if (known) return known;
  const column: ColumnDraft = { field, reader: readerOf(field), view, present: [], shown: [] };
  fields.set(field, column);
  return column;
}

function look(column: Column, cursor: Cursor, scanner: LiteralScanner, marks: Uint32Array): void {
  const members = column.reader.shown(cursor, column.view);
  if (members === undefined) return;
  for (const place of column.present) mark(marks, place);
  if (column.places.length === 0) return;
  for (const member of members) {
    if (column.view === undefined) markHits(column, scanner.hits(member), marks);
    else for (const shown of member.view(column.view)) markHits(column, scanner.hits(shown), marks);
  }
}

function markHits({ starts, places }: Column, hits: Int32Array, marks: Uint32Array): void {
  const length = starts.length - 1;
  for (let at = 0; at < hits.length; at++) {
    const id = hits[at]!;
    // Every text holds some that are of other columns.
    if (id >= length) continue;
    const end = starts[id + 1]!;
    for (let place = starts[id]!; place < end; place++) mark(marks, places[place]!);
  }
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
