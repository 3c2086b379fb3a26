import type { FieldId, FieldTable } from '../model/fields.ts';
import type { SpanEvents } from '../model/span-events.ts';
import type { Value } from '../model/value.ts';
import { Member, membersOf } from './matcher.ts';
import { isRepeated, RepeatedMembers } from './repeated-members.ts';
import { TextViews } from './views.ts';

/** Where the detector stands: which span, and a number that changes with every span so that readers know when to forget. */
export interface Cursor {
  events: SpanEvents;
  span: number;
  turn: number;
}

/** Reads one field once per span for all rules that name it. */
export interface Reader {
  /** The field; undefined for the texts of the span. */
  readonly field: FieldId | undefined;
  /** The members of the field, or undefined when the span has no such field. */
  read(cursor: Cursor): readonly Member[] | undefined;
}

/** One reader per field name, shared by all rules. '' reads the texts of the span for keyword search. */
export function createReaders(fields: FieldTable, views = new TextViews()): (field: string) => Reader {
  const readers = new Map<string, Reader>();
  const repeated = new RepeatedMembers(views);
  return (field) => {
    const known = readers.get(field);
    if (known) return known;
    const id = field === '' ? undefined : fields.intern(field);
    const reader = remember(id, sourceOf(field, id, views, repeated), views);
    readers.set(field, reader);
    return reader;
  };
}

type Source = (cursor: Cursor) => readonly Member[] | undefined;

function remember(field: FieldId | undefined, source: Source, views: TextViews): Reader {
  let turn = -1;
  let members: readonly Member[] | undefined;
  return {
    field,
    read: (cursor) => {
      if (turn !== cursor.turn) {
        views.turnTo(cursor.turn);
        members = source(cursor);
        turn = cursor.turn;
      }
      return members;
    },
  };
}

function sourceOf(field: string, id: FieldId | undefined, views: TextViews, repeated: RepeatedMembers): Source {
  if (id === undefined) return ({ events, span }) => events.texts(span).map((text) => new Member(text, views));
  const membersIn = isRepeated(field)
    ? (value: Value) => repeated.of(value)
    : (value: Value) => membersOf(value, views);
  return ({ events, span }) => {
    const value = events.value(span, id);
    return value === undefined ? undefined : membersIn(value);
  };
}
