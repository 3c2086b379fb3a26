import type { SpanIdentity } from '../span-identity.ts';
import type { CorrelationEvent, GroupPart } from './event.ts';
import { idBytes, kinds, start, traceBytes } from './event-format.ts';
import type { StateWriter } from './state-bytes.ts';

/** Places for texts that were written lately (a power of two). */
const places = 1 << 12;
/** Names of a span, each of which has a slot. */
const [slots, conversationSlot] = [6, 3] as const;

/** Writes events into a block; a text that was written there lately is its number. */
export class EventWriter {
  readonly #writer: StateWriter;
  readonly #recent: (string | undefined)[] = new Array(places);
  /** Counted through all blocks. */
  readonly #numbers = new Float64Array(places);
  readonly #slotTexts: string[] = new Array(slots).fill('');
  readonly #slotPlaces: number[] = new Array(slots).fill(placeOf(''));
  #first = 0;
  #textsAt: number[] = [];

  constructor(writer: StateWriter) {
    this.#writer = writer;
  }

  /** Where the texts of the block stand, by their numbers. */
  get textsAt(): readonly number[] {
    return this.#textsAt;
  }

  /** What comes is another block. */
  begin(): void {
    this.#first += this.#textsAt.length;
    this.#textsAt = [];
  }

  event({ timeNanos, startNanos, span, parts }: CorrelationEvent): void {
    const writer = this.#writer;
    writer.bigint64(timeNanos);
    writer.bigint64(startNanos);
    this.#ids(span);
    this.#name(0, span.spanName);
    this.#name(1, span.serviceName);
    this.#name(2, span.agentName);
    this.#name(conversationSlot, span.conversationId);
    this.#name(4, span.userId);
    this.#name(5, span.toolName);
    writer.byte(span.session === undefined ? 0 : 1);
    if (span.session) {
      this.#text(span.session.id);
      this.#text(span.session.source);
    }
    writer.varint(parts.length);
    for (const { correlation, groups } of parts) {
      writer.varint(correlation);
      writer.varint(groups.length);
      for (const group of groups) this.#group(group, startNanos);
    }
  }

  /** Both as bytes, so that they are read at once, or both as texts. */
  #ids({ spanId, traceId }: SpanIdentity): void {
    const writer = this.#writer;
    const { length } = writer;
    if (spanId.length === idBytes * 2 && traceId.length === traceBytes * 2) {
      writer.byte(kinds.hex);
      if (writer.hex(spanId) && writer.hex(traceId)) return;
      writer.length = length;
    }
    writer.byte(kinds.text);
    this.#text(spanId);
    this.#text(traceId);
  }

  #group({ texts, members, values, startNanos }: GroupPart, ofEvent: bigint): void {
    const writer = this.#writer;
    writer.varint(texts.length);
    // Most groups are conversations.
    for (const text of texts) this.#name(conversationSlot, text);
    // As 32 bits without sign.
    writer.varint(members >>> 0);
    writer.varint(values.length);
    for (const value of values) {
      if (typeof value === 'string') {
        writer.byte(kinds.text);
        this.#text(value);
      } else {
        writer.byte(kinds.number);
        writer.double(value);
      }
    }
    if (startNanos === undefined) writer.byte(start.none);
    else if (startNanos === ofEvent) writer.byte(start.ofEvent);
    else {
      writer.byte(start.other);
      writer.bigint64(startNanos);
    }
  }

  /** A text that is often the one that stood in the same slot of the event before, whose place is known. */
  #name(slot: number, text: string): void {
    if (this.#slotTexts[slot] !== text) {
      this.#slotTexts[slot] = text;
      this.#slotPlaces[slot] = placeOf(text);
    }
    this.#textAt(this.#slotPlaces[slot]!, text);
  }

  #text(text: string): void {
    this.#textAt(placeOf(text), text);
  }

  #textAt(place: number, text: string): void {
    const writer = this.#writer;
    const known = this.#numbers[place]!;
    if (this.#recent[place] === text && known >= this.#first) {
      writer.varint((known - this.#first) * 2);
      return;
    }
    writer.varint(this.#textsAt.length * 2 + 1);
    this.#recent[place] = text;
    this.#numbers[place] = this.#first + this.#textsAt.length;
    this.#textsAt.push(writer.length);
    writer.text(text);
  }
}

/** The end of a text tells ids apart, its beginning names. */
function placeOf(text: string): number {
  const { length } = text;
  let hash = length;
  for (let index = Math.max(0, length - 6); index < length; index++) hash = (hash * 31 + text.charCodeAt(index)) | 0;
  if (length > 6) hash = (hash * 31 + text.charCodeAt(0) * 7 + text.charCodeAt(length >> 1)) | 0;
  return (hash ^ (hash >>> 12)) & (places - 1);
}
