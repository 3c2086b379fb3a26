import type { AgentEvent, NamedValue } from '../../model/agent-event.ts';
import type { Value } from '../../model/value.ts';
import { StateReader, type StateWriter } from '../correlate/state-bytes.ts';
import { argumentsHash } from './arguments.ts';
import { type EventBytes, readEvent, writeEvent } from './event-bytes.ts';
import { type CallView, type Given, type Sight, viewKinds } from './view.ts';
import { isNullTag, readValue, writeValue } from './view-values.ts';

/** What is in a view beside its sight; the head byte. */
const has = { whole: 1, counts: 2, asked: 4, hash: 8, event: 16, hexIds: 32 } as const;
/** What is remembered of a view besides its bytes. */
const charsOfView = 512;

/**
 * A view as it is remembered: what it is found by as fields, arguments and what may be told of it as bytes, which are read where
 * somebody asks for them. The bytes are those of journals and checkpoints, too.
 * @param hash of arguments that are not remembered; '' where they are, or where there are none
 * @param event undefined where nothing may be told; with further attributes, `more`
 */
export function encodedView(
  writer: StateWriter,
  sight: Sight,
  given: Value,
  hash: string,
  event: EventBytes | undefined,
  more: readonly NamedValue[] = [],
): CallView {
  writer.length = 0;
  writeSight(writer, sight, hash, event !== undefined);
  const givenAt = writer.length;
  writeValue(writer, given);
  const eventAt = event === undefined ? 0 : writer.length;
  if (event !== undefined) writeEvent(writer, event, more);
  const bytes = writer.take();
  return viewOf(sight, bytes, givenOf(bytes, givenAt, given !== null, hash), eventAt);
}

/** Throws a SyntaxError on bytes that are no view. */
export function decodedView(bytes: Uint8Array): CallView {
  const reader = new StateReader(bytes);
  const head = reader.byte();
  const kind = viewKinds[reader.byte()];
  if (kind === undefined) throw new SyntaxError('no kind of view');
  const id = (length: number): string => ((head & has.hexIds) === 0 ? reader.text() : reader.hexOf(length));
  const sight: Sight = {
    kind,
    traceId: id(16),
    spanId: id(8),
    parentSpanId: reader.text(),
    place: reader.varint(),
    turn: reader.varint(),
    startNanos: reader.biguint64(),
    endNanos: reader.biguint64(),
    service: reader.text(),
    scope: reader.text(),
    conversation: reader.text(),
    callId: reader.text(),
    name: reader.text(),
    isWhole: (head & has.whole) !== 0,
    counts: (head & has.counts) !== 0,
    isAsked: (head & has.asked) !== 0,
  };
  const hash = (head & has.hash) === 0 ? '' : reader.text();
  const givenAt = reader.at;
  const isGiven = !isNullTag(bytes[givenAt]);
  readValue(reader);
  return viewOf(sight, bytes, givenOf(bytes, givenAt, isGiven, hash), (head & has.event) === 0 ? 0 : reader.at);
}

/** What may be told of a view. */
export function eventOf(view: CallView): AgentEvent {
  return readEvent(view.bytes, view.eventAt, view);
}

/** Each property by its name: with spread ones making a view took as long as all else that is done to remember it. */
function viewOf(sight: Sight, bytes: Uint8Array, given: Given, eventAt: number): CallView {
  return {
    kind: sight.kind,
    traceId: sight.traceId,
    spanId: sight.spanId,
    parentSpanId: sight.parentSpanId,
    startNanos: sight.startNanos,
    endNanos: sight.endNanos,
    service: sight.service,
    scope: sight.scope,
    conversation: sight.conversation,
    callId: sight.callId,
    name: sight.name,
    place: sight.place,
    turn: sight.turn,
    isWhole: sight.isWhole,
    counts: sight.counts,
    isAsked: sight.isAsked,
    given,
    bytes,
    eventAt,
    chars: charsOfView + bytes.length,
  };
}

function writeSight(writer: StateWriter, sight: Sight, hash: string, hasEvent: boolean): void {
  const isHex = sight.traceId.length === 32 && sight.spanId.length === 16;
  writer.byte(
    (sight.isWhole ? has.whole : 0) |
      (sight.counts ? has.counts : 0) |
      (sight.isAsked ? has.asked : 0) |
      (hash === '' ? 0 : has.hash) |
      (hasEvent ? has.event : 0) |
      (isHex ? has.hexIds : 0),
  );
  writer.byte(viewKinds.indexOf(sight.kind));
  for (const id of [sight.traceId, sight.spanId]) if (!isHex || !writer.hex(id)) writer.text(id);
  writer.text(sight.parentSpanId);
  writer.varint(sight.place);
  writer.varint(sight.turn);
  writer.bigint64(sight.startNanos);
  writer.bigint64(sight.endNanos);
  writer.text(sight.service);
  writer.text(sight.scope);
  writer.text(sight.conversation);
  writer.text(sight.callId);
  writer.text(sight.name);
  if (hash !== '') writer.text(hash);
}

function givenOf(bytes: Uint8Array, at: number, isGiven: boolean, hash: string): Given {
  return isGiven || hash !== '' ? new Remembered(bytes, at, hash) : nothing;
}

/** Arguments that are read, and hashed, where views have to be compared by them. */
class Remembered implements Given {
  readonly isTold = true;
  readonly #bytes: Uint8Array;
  readonly #at: number;
  #hash: string;

  constructor(bytes: Uint8Array, at: number, hash: string) {
    this.#bytes = bytes;
    this.#at = at;
    this.#hash = hash;
  }

  get value(): Value {
    const reader = new StateReader(this.#bytes);
    reader.seek(this.#at);
    return readValue(reader);
  }

  get hash(): string {
    if (this.#hash === '') this.#hash = argumentsHash(this.value);
    return this.#hash;
  }
}

const nothing: Given = { isTold: false, value: null, hash: '' };
