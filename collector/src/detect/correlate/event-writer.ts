import type { SpanIdentity } from '../span-identity.ts';
import type { CorrelationEvent, GroupPart } from './event.ts';
import { idBytes, kinds, start, traceBytes } from './event-format.ts';
import type { StateWriter } from './state-bytes.ts';

/** Places for texts of the block (a power of two). */
const places = 1 << 12;
/** Names of a span, each of which has a slot. */
const [slots, conversationSlot] = [6, 3] as const;

/** Writes events into a block; a text that stands in it already is its number. */
export class EventWriter {
  readonly #writer: StateWriter;
  /** By a hash, the number of a text of the block, one more; 0 where there is none. A text that loses its place is written again. */
  readonly #numbers = new Int32Array(places);
  readonly #hashes = new Int32Array(places);
  readonly #slotTexts: string[] = new Array(slots).fill('');
  /** As in `#numbers`. */
  readonly #slotNumbers = new Int32Array(slots);
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
    this.#numbers.fill(0);
    this.#slotNumbers.fill(0);
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

  /** A text that is often the one that stood in the same slot of the event before, whose number is known. */
  #name(slot: number, text: string): void {
    const known = this.#slotNumbers[slot]!;
    if (known > 0 && this.#slotTexts[slot] === text) this.#writer.varint((known - 1) * 2);
    else {
      this.#slotTexts[slot] = text;
      this.#slotNumbers[slot] = this.#text(text);
    }
  }

  /** Writes the text where it would stand, and takes that back if it is there already: so both can be compared as bytes. Gives its number, one more. */
  #text(text: string): number {
    const writer = this.#writer;
    const before = writer.length;
    writer.varint(this.#textsAt.length * 2 + 1);
    const at = writer.length;
    writer.text(text);
    const hash = writer.hashFrom(at);
    const place = (hash ^ (hash >>> 12)) & (places - 1);
    const known = this.#numbers[place]!;
    if (known > 0 && this.#hashes[place] === hash && writer.isRepeated(this.#textsAt[known - 1]!, at)) {
      writer.length = before;
      writer.varint((known - 1) * 2);
      return known;
    }
    this.#textsAt.push(at);
    this.#hashes[place] = hash;
    this.#numbers[place] = this.#textsAt.length;
    return this.#textsAt.length;
  }
}
