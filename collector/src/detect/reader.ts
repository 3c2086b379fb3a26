import type { FieldId, FieldTable } from '../model/fields.ts';
import type { SpanEvents } from '../model/span-events.ts';
import type { Value } from '../model/value.ts';
import type { Scanned } from './literal-scan.ts';
import type { MatcherGroup } from './literal-scanner.ts';
import { Member, membersOf } from './matcher.ts';
import { isRepeated, RepeatedMembers } from './repeated-members.ts';
import { RepeatedLooks, type Told } from './repeated-texts.ts';
import { TextViews, type View } from './views.ts';

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
  /** Whether the span has the field. */
  has(cursor: Cursor): boolean;
  /** Members in which the literal scanner finds what it finds in a view of the members of the field; for nothing else. */
  shown(cursor: Cursor, view: View | undefined): readonly Member[] | undefined;
  /** The first member that passes. */
  first(cursor: Cursor, group: MatcherGroup): Member | undefined;
}

export interface Readers {
  /** One reader per field name, shared by all rules. '' reads the texts of the span for keyword search. */
  readerOf(field: string): Reader;
  /** Meanwhile matchers are asked again about texts of which their answer is known: what they take is to be measured. */
  afresh(work: () => void): void;
}

/** @param look what the literal scanner finds in a member; without it every text is looked at in every span */
export function createReaders(
  fields: FieldTable,
  views = new TextViews(),
  look?: (member: Member) => Scanned,
): Readers {
  const readers = new Map<string, Reader>();
  const repeated = new RepeatedMembers(views);
  const looks = look && new RepeatedLooks(repeated, look);
  const readerOf = (field: string): Reader => {
    const known = readers.get(field);
    if (known) return known;
    const id = field === '' ? undefined : fields.intern(field);
    const plain = remember(id, sourceOf(field, id, views, repeated), views);
    const reader = looks && id !== undefined && field.startsWith('message.') ? growing(plain, id, looks, views) : plain;
    readers.set(field, reader);
    return reader;
  };
  return { readerOf, afresh: (work) => (looks ? looks.afresh(work) : work()) };
}

type Source = (cursor: Cursor) => readonly Member[] | undefined;

function remember(field: FieldId | undefined, source: Source, views: TextViews): Reader {
  let turn = -1;
  let members: readonly Member[] | undefined;
  const read = (cursor: Cursor): readonly Member[] | undefined => {
    if (turn !== cursor.turn) {
      views.turnTo(cursor.turn);
      members = source(cursor);
      turn = cursor.turn;
    }
    return members;
  };
  return {
    field,
    read,
    has: (cursor) => read(cursor) !== undefined,
    shown: read,
    first: (cursor, group) => {
      for (const member of read(cursor) ?? none) if (group.test(member)) return member;
      return undefined;
    },
  };
}

/** Of a field to which calls add: the members of what came before are not made, but where a rule wants all of them. */
function growing(plain: Reader, field: FieldId, looks: RepeatedLooks, views: TextViews): Reader {
  let turn = -1;
  let told: Told | undefined;
  const tell = (cursor: Cursor): Told | undefined => {
    if (turn !== cursor.turn) {
      views.turnTo(cursor.turn);
      const texts = cursor.events.repeated?.(cursor.span, field);
      told = texts && looks.told(texts);
      turn = cursor.turn;
    }
    return told;
  };
  return {
    field,
    read: plain.read,
    has: (cursor) => tell(cursor) !== undefined || plain.has(cursor),
    shown: (cursor, view) => {
      const here = tell(cursor);
      return here === undefined ? plain.read(cursor) : looks.shown(here, view);
    },
    first: (cursor, group) => {
      const here = tell(cursor);
      return here === undefined ? plain.first(cursor, group) : looks.first(here, group);
    },
  };
}

const none: readonly never[] = [];

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
