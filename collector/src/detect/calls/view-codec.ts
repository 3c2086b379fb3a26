import type { AgentEvent, NamedValue } from '../../model/agent-event.ts';
import { isList, type Value } from '../../model/value.ts';
import { StateReader, type StateWriter } from '../correlate/state-bytes.ts';
import { argumentsHash } from './arguments.ts';
import { type CallView, type Given, type Sight, viewKinds } from './view.ts';

/** What is in a view beside its sight; the head byte. */
const has = { whole: 1, counts: 2, asked: 4, hash: 8, event: 16, hexIds: 32 } as const;
/** What is remembered of a view besides its bytes. */
const charsOfView = 512;

/**
 * A view as it is remembered: what it is found by as fields, arguments and what may be told of it as bytes, which are read where
 * somebody asks for them. The bytes are those of journals and checkpoints, too.
 * @param hash of arguments that are not remembered; '' where they are, or where there are none
 */
export function encodedView(
  writer: StateWriter,
  sight: Sight,
  given: Value,
  hash: string,
  event: AgentEvent | undefined,
): CallView {
  writer.length = 0;
  writeSight(writer, sight, hash, event !== undefined);
  const givenAt = writer.length;
  writeValue(writer, given, 0);
  const eventAt = event === undefined ? 0 : writer.length;
  if (event !== undefined) writeEvent(writer, event);
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
  const isGiven = bytes[givenAt] !== tags.null;
  readValue(reader);
  return viewOf(sight, bytes, givenOf(bytes, givenAt, isGiven, hash), (head & has.event) === 0 ? 0 : reader.at);
}

/** What may be told of a view. */
export function eventOf(view: CallView): AgentEvent {
  const reader = new StateReader(view.bytes);
  reader.seek(view.eventAt);
  const { traceId, spanId, parentSpanId, startNanos, endNanos } = view;
  return {
    ...{ traceId, spanId, parentSpanId, startNanos, endNanos },
    name: reader.text(),
    failed: reader.byte() === 1,
    kind: reader.varint(),
    scopeName: reader.text(),
    scopeVersion: reader.text(),
    resource: readNamed(reader),
    attributes: readNamed(reader),
    ...{ joinKey: '', final: true, place: 0 },
  };
}

function viewOf(sight: Sight, bytes: Uint8Array, given: Given, eventAt: number): CallView {
  const { kind, traceId, spanId, parentSpanId, startNanos, endNanos, service, scope, conversation } = sight;
  return {
    ...{ kind, traceId, spanId, parentSpanId, startNanos, endNanos, service, scope, conversation },
    ...{ callId: sight.callId, name: sight.name },
    ...{ place: sight.place, turn: sight.turn, isWhole: sight.isWhole, counts: sight.counts, isAsked: sight.isAsked },
    ...{ given, bytes, eventAt, chars: charsOfView + bytes.length },
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

/** Ids and times are those of the view. */
function writeEvent(writer: StateWriter, event: AgentEvent): void {
  writer.text(event.name);
  writer.byte(event.failed ? 1 : 0);
  writer.varint(event.kind ?? 1);
  writer.text(event.scopeName);
  writer.text(event.scopeVersion);
  writeNamed(writer, event.resource);
  writeNamed(writer, event.attributes);
}

function writeNamed(writer: StateWriter, values: readonly NamedValue[]): void {
  writer.varint(values.length);
  for (const [name, value] of values) {
    writer.text(name);
    writeValue(writer, value, 0);
  }
}

function readNamed(reader: StateReader): NamedValue[] {
  return Array.from({ length: reader.count() }, () => [reader.text(), readValue(reader)] as const);
}

const tags = { null: 0, false: 1, true: 2, number: 3, integer: 4, text: 5, list: 6, map: 7 } as const;
/** As deep as values are written anywhere; what senders put into texts may nest deeper than the stack. */
const depthMax = 256;

function writeValue(writer: StateWriter, value: Value, depth: number): void {
  if (typeof value === 'string') {
    writer.byte(tags.text);
    writer.text(value);
  } else if (typeof value === 'number') {
    writer.byte(tags.number);
    writer.double(value);
  } else if (typeof value === 'bigint') {
    writer.byte(tags.integer);
    writer.text(String(value));
  } else if (typeof value === 'boolean') {
    writer.byte(value ? tags.true : tags.false);
  } else if (value === null || depth > depthMax) {
    writer.byte(tags.null);
  } else if (isList(value)) {
    writer.byte(tags.list);
    writer.varint(value.length);
    for (const member of value) writeValue(writer, member, depth + 1);
  } else {
    const keys = Object.keys(value);
    writer.byte(tags.map);
    writer.varint(keys.length);
    for (const key of keys) {
      writer.text(key);
      writeValue(writer, value[key]!, depth + 1);
    }
  }
}

function readValue(reader: StateReader, depth = 0): Value {
  const tag = reader.byte();
  if (depth > depthMax + 1) throw new SyntaxError('values nest too deep');
  if (tag === tags.null) return null;
  if (tag === tags.text) return reader.text();
  if (tag === tags.number) return reader.double();
  if (tag === tags.integer) return BigInt(reader.text());
  if (tag === tags.list) return Array.from({ length: reader.count() }, () => readValue(reader, depth + 1));
  if (tag !== tags.map) {
    if (tag > tags.true) throw new SyntaxError('no kind of value');
    return tag === tags.true;
  }
  const map: Record<string, Value> = Object.create(null);
  for (let left = reader.count(); left > 0; left--) map[reader.text()] = readValue(reader, depth + 1);
  return map;
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
