import type { Evidence } from '../../model/finding.ts';
import { isList, type Value } from '../../model/value.ts';
import type { CorrelationEvent } from '../correlate/event.ts';
import { decodeState, encodeState } from '../correlate/snapshot.ts';
import { StateReader, StateWriter } from '../correlate/state-bytes.ts';
import type { SpanIdentity } from '../span-identity.ts';
import { type Chain, startChain } from './chain.ts';
import type { KeptSpan } from './kept.ts';
import type { Program, Programs } from './program.ts';
import type { Verdict } from './verdict.ts';
import type { Waiting } from './waiting.ts';

/** What happened, in its order. */
export type JournalEntry =
  | { readonly kind: 'span'; readonly traceId: string; readonly span: KeptSpan; readonly waiting: readonly Waiting[] }
  | { readonly kind: 'time'; readonly newestNanos: bigint }
  | { readonly kind: 'flush' };

export interface SavedState {
  readonly newestNanos: bigint;
  readonly traces: readonly { readonly id: string; readonly spans: readonly KeptSpan[] }[];
  readonly waiting: readonly Waiting[];
}

/** The base fields and the rules stand on top, so that a reader with other rules finds what is still of use. */
interface Head {
  readonly format: number;
  readonly bases: readonly string[];
  readonly rules: readonly string[];
}

const format = 1;

type PackedSpan = readonly [spanId: string, parentId: string, endNanos: string, ...values: unknown[]];

/** A journal is written for every batch, so it is binary; a snapshot, written now and then, is JSON. */
export function encodeJournal(entries: readonly JournalEntry[], programs: Programs): Uint8Array {
  const writer = new StateWriter();
  writer.text(JSON.stringify(headOf(programs)));
  const traces = new Map<string, number>();
  for (const entry of entries) {
    writer.byte(kinds.indexOf(entry.kind));
    if (entry.kind === 'time') writer.bigint64(BigInt.asIntN(64, entry.newestNanos));
    if (entry.kind !== 'span') continue;
    // A trace is written where it is named first and is a number from then on.
    const known = traces.get(entry.traceId);
    writer.varint(known ?? traces.size);
    if (known === undefined) {
      traces.set(entry.traceId, traces.size);
      writer.text(entry.traceId);
    }
    writeSpan(writer, entry.span);
    writer.varint(entry.waiting.length);
    for (const waiting of entry.waiting) writer.bytes(packWaiting(waiting, programs));
  }
  return writer.done();
}

/** What waits for a rule that is gone or has changed is left out. Throws a SyntaxError on bytes that are no journal. */
export function decodeJournal(bytes: Uint8Array, programs: Programs): JournalEntry[] {
  const reader = new StateReader(bytes);
  const head = JSON.parse(reader.text()) as Head;
  if (head.format !== format) throw new SyntaxError('an ancestry journal of another format');
  const read = createReading(head, programs);
  const traces: string[] = [];
  const entries: JournalEntry[] = [];
  while (!reader.atEnd) {
    const kind = kinds[reader.byte()];
    if (kind === 'time') entries.push({ kind, newestNanos: BigInt.asUintN(64, reader.bigint64()) });
    else if (kind === 'flush') entries.push({ kind });
    else if (kind === 'span') {
      const trace = reader.varint();
      if (trace === traces.length) traces.push(reader.text());
      const span = read.span(readSpan(reader, head.bases.length));
      const waiting = Array.from({ length: reader.count() }, () => reader.bytes());
      const chain = () => startChain(span);
      entries.push({
        kind,
        traceId: traces[trace]!,
        span,
        waiting: waiting.flatMap((each) => read.waiting(each, chain)),
      });
    } else throw new SyntaxError('an entry of no known kind');
  }
  return entries;
}

const kinds = ['span', 'time', 'flush'] as const;
/** Tags of values: almost all are texts, or are not there. */
const [absentValue, textValue, otherValue] = [0, 1, 2];

function writeSpan(writer: StateWriter, { spanId, parentId, endNanos, values }: KeptSpan): void {
  writer.text(spanId);
  writer.text(parentId);
  writer.bigint64(BigInt.asIntN(64, endNanos));
  for (const value of values) {
    writer.byte(value === undefined ? absentValue! : typeof value === 'string' ? textValue! : otherValue!);
    if (typeof value === 'string') writer.text(value);
    else if (value !== undefined) writer.text(JSON.stringify(packValue(value)));
  }
}

function readSpan(reader: StateReader, bases: number): PackedSpan {
  const [spanId, parentId] = [reader.text(), reader.text()];
  const end = String(BigInt.asUintN(64, reader.bigint64()));
  const values = Array.from({ length: bases }, (): unknown => {
    const tag = reader.byte();
    if (tag === absentValue) return {};
    return tag === textValue ? reader.text() : JSON.parse(reader.text());
  });
  return [spanId, parentId, end, ...values];
}

export function encodeSnapshot({ newestNanos, traces, waiting }: SavedState, programs: Programs): Uint8Array {
  return bytesOf({
    ...headOf(programs),
    newest: String(newestNanos),
    traces: traces.map(({ id, spans }) => [id, ...spans.map(packSpan)]),
    waiting: waiting.map((each) => {
      const { self, spans, end } = each.chain;
      const packed = Buffer.from(packWaiting(each, programs)).toString('base64');
      return [packed, end, packSpan(self), ...spans.map(packSpan)];
    }),
  });
}

/** Undefined when the bytes are no snapshot; what waits for rules that are gone or have changed is left out. */
export function decodeSnapshot(
  bytes: Uint8Array,
  programs: Programs,
): (SavedState & { readonly programs: number }) | undefined {
  try {
    const saved = JSON.parse(textOf(bytes)) as Head & {
      readonly newest: string;
      readonly traces: readonly (readonly [string, ...PackedSpan[]])[];
      readonly waiting: readonly (readonly [string, Chain['end'], PackedSpan, ...PackedSpan[]])[];
    };
    if (saved.format !== format) return undefined;
    const read = createReading(saved, programs);
    return {
      newestNanos: BigInt(saved.newest),
      traces: saved.traces.map(([id, ...spans]) => ({ id, spans: spans.map(read.span) })),
      waiting: saved.waiting.flatMap(([text, end, self, ...spans]) =>
        read.waiting(Buffer.from(text, 'base64'), () => ({ self: read.span(self), spans: spans.map(read.span), end })),
      ),
      programs: programs.programs.filter(({ signature }) => saved.rules.includes(signature)).length,
    };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError) return undefined;
    throw error;
  }
}

function headOf({ bases, programs }: Programs): Head {
  return { format, bases, rules: programs.map(({ signature }) => signature) };
}

function createReading(head: Head, programs: Programs) {
  const places = programs.bases.map((base) => head.bases.indexOf(base));
  const bySignature = new Map(programs.programs.map((program): [string, Program] => [program.signature, program]));
  return {
    span: ([spanId, parentId, end, ...values]: PackedSpan): KeptSpan => ({
      spanId,
      parentId,
      endNanos: BigInt(end),
      values: places.map((place) => unpackValue(values[place])),
    }),
    waiting: (packed: Uint8Array, chain: () => Chain): Waiting[] => {
      const { rule, ...rest } = decodeState(packed) as PackedWaiting;
      const program = bySignature.get(head.rules[rule]!);
      return program ? [{ program, ...rest, chain: chain(), bytes: 0, decided: false }] : [];
    },
  };
}

interface PackedWaiting {
  readonly rule: number;
  readonly identity: SpanIdentity;
  readonly own: readonly Verdict[];
  readonly evidence: ReadonlyMap<number, readonly Evidence[]>;
  readonly values: ReadonlyMap<string, Value>;
  readonly event?: CorrelationEvent;
  readonly foldValues?: readonly string[];
}

function packWaiting(waiting: Waiting, { programs }: Programs): Uint8Array {
  const { program, identity, own, evidence, values, event, foldValues } = waiting;
  const packed: PackedWaiting = {
    rule: programs.indexOf(program),
    identity,
    own,
    evidence,
    values,
    ...(event && { event }),
    ...(foldValues && { foldValues }),
  };
  return encodeState(packed);
}

function packSpan({ spanId, parentId, endNanos, values }: KeptSpan): PackedSpan {
  return [spanId, parentId, String(endNanos), ...values.map(packValue)];
}

/** Absent is an empty object, integers beyond numbers are texts in one. */
function packValue(value: Value | undefined): unknown {
  if (value === undefined) return {};
  if (typeof value === 'bigint') return { n: String(value) };
  return typeof value === 'object' && value !== null && isList(value) ? value.map(packValue) : value;
}

function unpackValue(packed: unknown): Value | undefined {
  if (typeof packed !== 'object' || packed === null) return packed as Value | undefined;
  if (Array.isArray(packed)) return packed.map((member) => unpackValue(member)!);
  return 'n' in packed ? BigInt(packed.n as string) : undefined;
}

function bytesOf(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}
