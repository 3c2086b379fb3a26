import type { Session, SessionSource } from '../../model/session.ts';
import type { SpanIdentity } from '../span-identity.ts';
import type { CorrelationEvent, EventPart, GroupPart, SettledEvent } from './event.ts';
import { idAt, idBytes, kinds, start, startAt, traceBytes } from './event-format.ts';
import { KeptSpan, type SpanNames } from './kept-span.ts';
import { SharedTexts } from './shared-texts.ts';
import { StateReader } from './state-bytes.ts';

/** Names that many spans have in common, over all blocks. */
const names = new SharedTexts();
let blocks = 0;
/** One list for all groups without values. */
const none: never[] = [];
/** Of a block, for names that spans have together (a power of two). */
const namesPlaces = 64;

/**
 * Events that came together, as the bytes that the journal has of them. An event is read where somebody asks for it; until then
 * it is nothing for the garbage collector to walk.
 */
export class EventBlock {
  /** Later ones have greater numbers. */
  readonly number = ++blocks;
  /** Its events that somebody still needs. */
  events = 0;
  /** Its events that wait. */
  waiting = 0;
  /** Where it stands in the store. */
  place = -1;
  /** The bytes that it takes. */
  size = 0;
  /** Where the correlations stand that it names, by how it names them; undefined while nothing has moved. */
  places: readonly number[] | undefined;
  #bytes: Uint8Array;
  #reader: StateReader;
  #textsAt: ArrayLike<number>;
  /** Those that were read. */
  #texts: (string | undefined)[] = [];
  /** Lists of one text. */
  #lists: (readonly string[] | undefined)[] = [];
  #isSealed = false;
  /** Those of spans that were settled, by a hash of their numbers. */
  #names: (SpanNames | undefined)[] | undefined;

  /** @param textsAt where its texts stand; grows while the block is written */
  constructor(bytes: Uint8Array, textsAt: ArrayLike<number>) {
    this.#bytes = bytes;
    this.#reader = new StateReader(bytes);
    this.#textsAt = textsAt;
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** The same bytes, and more of them, are here now. */
  moveTo(bytes: Uint8Array, textsAt: ArrayLike<number>): void {
    this.#bytes = bytes;
    this.#reader = new StateReader(bytes);
    this.#textsAt = textsAt;
  }

  /** As `moveTo`, and nothing will be written behind them. */
  seal(bytes: Uint8Array, textsAt: Uint32Array): void {
    this.moveTo(bytes, textsAt);
    this.#isSealed = true;
  }

  /** One of its events waits no longer. Without any that does it is hardly read again, and what was read would grow old. */
  settle(): void {
    this.waiting--;
    if (this.waiting > 0 || !this.#isSealed) return;
    this.#texts = [];
    this.#lists = [];
    this.#names = undefined;
  }

  /** The order of the span ids of two events; 0 also where they have to be read for it. */
  compareIds(at: number, other: EventBlock, otherAt: number): number {
    const [a, b] = [this.#bytes, other.#bytes];
    if (a[at + idAt] !== kinds.hex || b[otherAt + idAt] !== kinds.hex) return 0;
    for (let from = idAt + 1; from <= idAt + idBytes; from++) {
      const order = a[at + from]! - b[otherAt + from]!;
      if (order !== 0) return order;
    }
    return 0;
  }

  /** @param at where the event begins, as the block's own journal knows it */
  read(at: number): CorrelationEvent {
    const reader = this.#reader;
    reader.seek(at);
    const event = readEvent(reader, this.#text);
    return this.places ? { ...event, parts: this.#placed(event.parts) } : event;
  }

  /**
   * The same event with a span as windows keep it, and without what only the order of events needs. Most events are in one group of
   * one correlation: they are one object, which the next one takes over.
   * @param timeNanos when it ended
   */
  settled(at: number, timeNanos: bigint): SettledEvent {
    const reader = this.#reader;
    reader.seek(at + idAt);
    if (reader.byte() !== kinds.hex) {
      const { span, parts } = this.read(at);
      return { timeNanos, span, parts };
    }
    const span = this.#keptSpan(at);
    const partsAt = reader.at;
    if (reader.count() === 1) {
      const correlation = reader.varint();
      only.part.correlation = this.places ? this.#placeOf(correlation) : correlation;
      if (reader.count() === 1 && this.#readOnly()) {
        only.event.timeNanos = timeNanos;
        only.event.span = span;
        return only.event;
      }
    }
    reader.seek(partsAt);
    const parts = readParts(reader, this.#text, at);
    return { timeNanos, span, parts: this.places ? this.#placed(parts) : parts };
  }

  /** The same parts in the same order: groups that wait are found by it. */
  #placed(parts: readonly EventPart[]): readonly EventPart[] {
    return parts.map(({ correlation, groups }) => ({ correlation: this.#placeOf(correlation), groups }));
  }

  #placeOf(correlation: number): number {
    return this.places?.[correlation] ?? -1;
  }

  /** Reads the one group into `only`; false for a group that is not as most are. */
  #readOnly(): boolean {
    const reader = this.#reader;
    if (reader.count() !== 1) return false;
    const text = this.#text(false);
    const { group } = only;
    group.texts = this.#listOf(text);
    group.members = reader.varint() | 0;
    const count = reader.count();
    if (count === 0) group.values = none;
    else if (count > 1) return false;
    else if (reader.byte() === kinds.text) {
      // Of values there are too many for lists to be found again.
      group.values = [this.#text(false)];
    } else group.values = [reader.double()];
    return reader.byte() === start.none;
  }

  /** A list of the text that was read last. */
  #listOf(text: string): readonly string[] {
    const known = this.#lists[this.#number];
    if (known !== undefined) return known;
    const list = [text];
    this.#lists[this.#number] = list;
    return list;
  }

  #keptSpan(at: number): KeptSpan {
    const reader = this.#reader;
    const endLow = reader.int32At(at);
    const endHigh = reader.int32At(at + 4);
    const span0 = reader.int32BigEndian();
    const span1 = reader.int32BigEndian();
    const trace0 = reader.int32BigEndian();
    const trace1 = reader.int32BigEndian();
    const trace2 = reader.int32BigEndian();
    const trace3 = reader.int32BigEndian();
    const spanName = this.#text(true);
    let place = this.#number;
    const serviceName = this.#text(true);
    place = place * 5 + this.#number;
    const agentName = this.#text(true);
    place = place * 5 + this.#number;
    const conversationId = this.#text(false);
    const userId = this.#text(true);
    place = place * 5 + this.#number;
    const toolName = this.#text(true);
    place = (place * 5 + this.#number) & (namesPlaces - 1);
    this.#names ??= new Array(namesPlaces);
    let names = this.#names[place];
    if (
      names === undefined ||
      names.spanName !== spanName ||
      names.serviceName !== serviceName ||
      names.agentName !== agentName ||
      names.userId !== userId ||
      names.toolName !== toolName
    ) {
      names = { spanName, serviceName, agentName, userId, toolName, session: undefined };
      this.#names[place] = names;
    }
    if (reader.byte() !== 0) names = { ...names, session: readSession(this.#text) };
    return new KeptSpan(endHigh, endLow, conversationId, names, span0, span1, trace0, trace1, trace2, trace3);
  }

  /** Of the text read last. */
  #number = 0;

  readonly #text = (isName: boolean): string => {
    const reader = this.#reader;
    const head = reader.varint();
    const number = head >>> 1;
    this.#number = number;
    const known = this.#texts[number];
    if (known !== undefined) {
      if ((head & 1) === 1) reader.passText();
      return known;
    }
    const next = reader.at;
    const isHere = (head & 1) === 1;
    if (!isHere) {
      const at = this.#textsAt[number];
      if (at === undefined) throw new SyntaxError('an event refers to a text that is not there');
      reader.seek(at);
    }
    const read = reader.text();
    const text = isName ? names.of(read) : read;
    if (!isHere) reader.seek(next);
    this.#texts[number] = text;
    return text;
  };
}

/** The event that was settled last. */
const only = createOnly();

function createOnly() {
  const group = { texts: none as readonly string[], members: 0, values: none as readonly (string | number)[] };
  const part = { correlation: 0, groups: [group] };
  return { group, part, event: { timeNanos: 0n, span: undefined as never as SpanIdentity, parts: [part] } };
}

/** Reads events one after the other, and notes where texts stand. */
export class EventScanner {
  readonly textsAt: number[] = [];
  readonly #texts: string[] = [];
  readonly #reader: StateReader;

  constructor(reader: StateReader) {
    this.#reader = reader;
  }

  next(): CorrelationEvent {
    return readEvent(this.#reader, this.#text);
  }

  readonly #text = (): string => {
    const reader = this.#reader;
    const head = reader.varint();
    const number = head >>> 1;
    if ((head & 1) === 0) {
      const known = this.#texts[number];
      if (known === undefined) throw new SyntaxError('an event refers to a text that is not there');
      return known;
    }
    if (number !== this.#texts.length) throw new SyntaxError('a text has the number of another');
    this.textsAt.push(reader.at);
    const text = reader.text();
    this.#texts.push(text);
    return text;
  };
}

type ReadText = (isName: boolean) => string;

function readEvent(reader: StateReader, text: ReadText): CorrelationEvent {
  const begins = reader.at;
  const timeNanos = reader.biguint64();
  const startNanos = reader.biguint64();
  let spanId: string;
  let traceId: string;
  if (reader.byte() === kinds.hex) {
    // Parts of one text would keep the whole of it.
    spanId = reader.hexOf(idBytes);
    traceId = reader.hexOf(traceBytes);
  } else {
    spanId = text(false);
    traceId = text(false);
  }
  const identity: SpanIdentity = {
    traceId,
    spanId,
    spanName: text(true),
    serviceName: text(true),
    agentName: text(true),
    conversationId: text(false),
    userId: text(true),
    toolName: text(true),
    endNanos: timeNanos,
  };
  const span = reader.byte() === 0 ? identity : { ...identity, session: readSession(text) };
  return { timeNanos, startNanos, span, parts: readParts(reader, text, begins) };
}

/** @param begins where the event begins */
function readParts(reader: StateReader, text: ReadText, begins: number): EventPart[] {
  const parts = listOf<EventPart>(reader.count());
  for (let at = 0; at < parts.length; at++) {
    const correlation = reader.varint();
    const groups = listOf<GroupPart>(reader.count());
    for (let group = 0; group < groups.length; group++) groups[group] = readGroup(reader, text, begins);
    parts[at] = { correlation, groups };
  }
  return parts;
}

function readSession(text: ReadText): Session {
  return { id: text(false), source: text(true) as SessionSource };
}

function readGroup(reader: StateReader, text: ReadText, begins: number): GroupPart {
  const texts = listOf<string>(reader.count());
  for (let at = 0; at < texts.length; at++) texts[at] = text(false);
  const members = reader.varint() | 0;
  const count = reader.count();
  const values = count === 0 ? none : listOf<string | number>(count);
  for (let at = 0; at < count; at++) values[at] = reader.byte() === kinds.text ? text(false) : reader.double();
  const began = reader.byte();
  if (began === start.none) return { texts, members, values };
  return {
    texts,
    members,
    values,
    startNanos: began === start.ofEvent ? reader.biguint64At(begins + startAt) : reader.biguint64(),
  };
}

/** A list that grows while it is filled has room for sixteen more, which would be most of what a window takes. */
function listOf<T>(length: number): T[] {
  return new Array<T>(length);
}
