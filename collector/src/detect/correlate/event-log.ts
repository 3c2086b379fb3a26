import { createHash } from 'node:crypto';
import type { Correlation } from './correlation.ts';
import type { CorrelationEvent } from './event.ts';
import { EventBlock, EventScanner } from './event-block.ts';
import type { EventStore } from './event-store.ts';
import { EventWriter } from './event-writer.ts';
import { StateReader, StateWriter } from './state-bytes.ts';

/** What the correlator was told, but for the events. */
export type Call =
  | {
      readonly call: 'observe';
      readonly source: string;
      readonly endNanos: bigint;
      readonly nowNanos: bigint | undefined;
    }
  /** With the settling after it. */
  | { readonly call: 'advance'; readonly eventNanos: bigint }
  | { readonly call: 'settle' | 'flush' };

/** Takes in what a journal says. */
export interface Listener {
  call(call: Call): void;
  /** An event that was written for the same correlations, and where it begins in its block. */
  event(event: CorrelationEvent, block: EventBlock, at: number): void;
  /** One that was not: its parts name the correlations as they are now. */
  foreign(event: CorrelationEvent, at: number): void;
}

/** The first byte of an entry; it never changes what it stands for. */
const entries = { event: 0, observe: 1, observeNow: 2, advance: 3, settle: 4, flush: 5 } as const;

const format = 2;
/** Another block begins after so many bytes. */
const blockBytesMax = 1 << 18;

/**
 * What correlations are told, in the order in which they are told it, as bytes. The events among them are read from the same
 * bytes when their time has come. In front of each block stand its length and digests of the correlations, so that a start with
 * other rules takes in again what still fits.
 */
export class EventLog {
  #digests: readonly string[];
  readonly #store: EventStore;
  readonly #isKept: boolean;
  readonly #writer = new StateWriter();
  readonly #events = new EventWriter(this.#writer);
  #block: EventBlock | undefined;
  /** Where an advance begins that nothing came after. */
  #advanceAt = -1;
  /** Blocks that are full and in no journal yet. */
  #full: Uint8Array[] = [];

  /** @param isKept whether somebody takes the journal */
  constructor(correlations: readonly Correlation[], store: EventStore, isKept: boolean) {
    this.#digests = digestsOf(correlations);
    this.#store = store;
    this.#isKept = isKept;
  }

  /** Writes an event and gives the number that the store has for it. */
  event(event: CorrelationEvent): number {
    const block = this.#begun();
    const writer = this.#writer;
    this.#advanceAt = -1;
    writer.byte(entries.event);
    const at = writer.length;
    this.#events.event(event);
    if (block.bytes !== writer.buffer) block.moveTo(writer.buffer, this.#events.textsAt);
    this.#store.resize(block, writer.length);
    const number = this.#store.add(block, at, event.timeNanos, event.startNanos);
    if (writer.length >= blockBytesMax) this.#end();
    return number;
  }

  /** One advance after the other is as good as the last of them: this is all that happens while no span comes. */
  note(call: Call): void {
    if (!this.#isKept) return;
    this.#begun();
    const writer = this.#writer;
    if (call.call === 'advance') {
      if (this.#advanceAt >= 0) writer.length = this.#advanceAt;
      this.#advanceAt = writer.length;
      writer.byte(entries.advance);
      writer.bigint64(call.eventNanos);
      return;
    }
    this.#advanceAt = -1;
    if (call.call === 'observe') {
      writer.byte(call.nowNanos === undefined ? entries.observe : entries.observeNow);
      writer.text(call.source);
      writer.bigint64(call.endNanos);
      if (call.nowNanos !== undefined) writer.bigint64(call.nowNanos);
    } else writer.byte(entries[call.call]);
  }

  /** What comes is about other correlations. */
  exchange(correlations: readonly Correlation[]): void {
    this.seal();
    this.#digests = digestsOf(correlations);
  }

  /** No more is written to the block at hand. */
  seal(): void {
    if (this.#block) this.#end();
  }

  /** Nobody needs the journal of what was noted. */
  drop(): void {
    this.seal();
    this.#full = [];
  }

  /** What was noted since the last call; empty when nothing was. */
  take(): Uint8Array {
    this.seal();
    const full = this.#full;
    this.#full = [];
    if (full.length === 1) return full[0]!;
    return Buffer.concat(full);
  }

  /** Tells all that is in a journal. Throws a SyntaxError on bytes that are none. */
  read(journal: Uint8Array, listener: Listener): void {
    for (const [bytes, reader] of blocksOf(journal)) {
      const places = this.#placesIn(reader);
      const block = new EventBlock(bytes, []);
      const scanner = new EventScanner(reader);
      block.moveTo(bytes, scanner.textsAt);
      this.#store.resize(block, bytes.length);
      while (!reader.atEnd) {
        const kind = reader.byte();
        if (kind === entries.event) {
          const at = reader.at;
          const event = scanner.next();
          if (places === undefined) listener.event(event, block, at);
          else {
            const parts = placedParts(event, places);
            if (parts.length > 0) listener.foreign({ ...event, parts }, at);
          }
        } else listener.call(readCall(kind, reader));
      }
    }
  }

  /** Whether blocks can be read, from the first to the last byte. */
  isReadable(blocks: readonly { readonly bytes: Uint8Array; readonly at: readonly number[] }[]): boolean {
    try {
      for (const { bytes, at } of blocks) this.readEvents(bytes, at, { event: ignore, foreign: ignore });
      return true;
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof TypeError) return false;
      throw error;
    }
  }

  /** The events of a block that begin at these places, as `read` tells them. */
  readEvents(bytes: Uint8Array, wanted: readonly number[], listener: Pick<Listener, 'event' | 'foreign'>): void {
    const places = new Set(wanted);
    this.read(bytes, {
      event: (event, block, at) => void (places.has(at) && listener.event(event, block, at)),
      foreign: (event, at) => void (places.has(at) && listener.foreign(event, at)),
      call: ignore,
    });
  }

  #begun(): EventBlock {
    if (this.#block) return this.#block;
    const writer = this.#writer;
    writer.uint32(0);
    writer.byte(format);
    writer.varint(this.#digests.length);
    for (const digest of this.#digests) writer.text(digest);
    this.#events.begin();
    this.#block = new EventBlock(writer.buffer, this.#events.textsAt);
    return this.#block;
  }

  #end(): void {
    this.#writer.uint32At(0, this.#writer.length);
    const bytes = this.#writer.take();
    this.#block!.seal(bytes, Uint32Array.from(this.#events.textsAt));
    this.#block = undefined;
    this.#advanceAt = -1;
    if (this.#isKept) this.#full.push(bytes);
  }

  /** Where the correlations of a block stand now, -1 for those that are gone; undefined where all are as they were. */
  #placesIn(reader: StateReader): readonly number[] | undefined {
    if (reader.byte() !== format) throw new SyntaxError('the journal is of another format');
    const digests = Array.from({ length: reader.count() }, () => reader.text());
    const isSame = digests.length === this.#digests.length && digests.every((each, at) => each === this.#digests[at]);
    return isSame ? undefined : digests.map((digest) => this.#digests.indexOf(digest));
  }
}

/** The parts of an event whose correlations are still there, at the places where they stand now. */
export function placedParts({ parts }: CorrelationEvent, places: readonly number[]): CorrelationEvent['parts'] {
  return standing(parts.map((part) => ({ ...part, correlation: places[part.correlation] ?? -1 })));
}

/** The parts of an event out of a block whose correlations have moved: of those that are still there, in their order. */
export function standing(parts: CorrelationEvent['parts']): CorrelationEvent['parts'] {
  return parts.filter(({ correlation }) => correlation >= 0).sort((a, b) => a.correlation - b.correlation);
}

/** The blocks of a journal in memory of their own, each with a reader that stands behind its length. */
function* blocksOf(journal: Uint8Array): Generator<readonly [Uint8Array, StateReader]> {
  const whole = new StateReader(journal);
  for (let at = 0; at < journal.length; ) {
    whole.seek(at);
    const length = whole.uint32();
    if (length < 4 || length > journal.length - at) throw new SyntaxError('the journal ends in the middle of a block');
    const bytes = Buffer.from(journal.subarray(at, at + length));
    const reader = new StateReader(bytes);
    reader.seek(4);
    yield [bytes, reader];
    at += length;
  }
}

function readCall(kind: number, reader: StateReader): Call {
  if (kind === entries.settle) return { call: 'settle' };
  if (kind === entries.flush) return { call: 'flush' };
  if (kind === entries.advance) return { call: 'advance', eventNanos: reader.bigint64() };
  if (kind !== entries.observe && kind !== entries.observeNow) throw new SyntaxError(`no entry starts with ${kind}`);
  const [source, endNanos] = [reader.text(), reader.biguint64()];
  return { call: 'observe', source, endNanos, nowNanos: kind === entries.observe ? undefined : reader.bigint64() };
}

function digestsOf(correlations: readonly Correlation[]): readonly string[] {
  return correlations.map(({ meta }) => digestOf(meta.id, meta.version));
}

/** A rule by id and version, as journals name it. */
export function digestOf(id: string, version: string): string {
  return createHash('sha256')
    .update(JSON.stringify([id, version]))
    .digest('hex')
    .slice(0, 16);
}

function ignore(): void {}
