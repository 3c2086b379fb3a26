import type { Evidence } from '../../model/finding.ts';
import { isList, type Value } from '../../model/value.ts';
import type { CorrelationEvent } from '../correlate/event.ts';
import { decodeState, encodeState } from '../correlate/snapshot.ts';
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

/**
 * Both forms are JSON with arrays in place of records and every trace id once: spans are most of it. The base fields and
 * the rules stand on top, so that a reader with other rules finds what is still of use.
 */
interface Head {
  readonly format: number;
  readonly bases: readonly string[];
  readonly rules: readonly string[];
}

const format = 1;

type PackedSpan = readonly [spanId: string, parentId: string, endNanos: string, ...values: unknown[]];

export function encodeJournal(entries: readonly JournalEntry[], programs: Programs): Uint8Array {
  const traces = new Map<string, number>();
  const packed = entries.map((entry): readonly unknown[] => {
    if (entry.kind === 'flush') return [];
    if (entry.kind === 'time') return [String(entry.newestNanos)];
    const trace = traces.get(entry.traceId) ?? traces.size;
    traces.set(entry.traceId, trace);
    return [trace, packSpan(entry.span), entry.waiting.map((waiting) => packWaiting(waiting, programs))];
  });
  return bytesOf({ ...headOf(programs), traces: [...traces.keys()], entries: packed });
}

/** What waits for a rule that is gone or has changed is left out. */
export function decodeJournal(bytes: Uint8Array, programs: Programs): JournalEntry[] {
  const journal = JSON.parse(textOf(bytes)) as Head & {
    readonly traces: readonly string[];
    readonly entries: readonly (readonly unknown[])[];
  };
  if (journal.format !== format) throw new TypeError('an ancestry journal of another format');
  const read = createReading(journal, programs);
  return journal.entries.map((entry): JournalEntry => {
    if (entry.length === 0) return { kind: 'flush' };
    if (entry.length === 1) return { kind: 'time', newestNanos: BigInt(entry[0] as string) };
    const [trace, packed, waiting] = entry as [number, PackedSpan, string[]];
    const span = read.span(packed);
    return {
      kind: 'span',
      traceId: journal.traces[trace]!,
      span,
      waiting: waiting.flatMap((text) => read.waiting(text, () => startChain(span))),
    };
  });
}

export function encodeSnapshot({ newestNanos, traces, waiting }: SavedState, programs: Programs): Uint8Array {
  return bytesOf({
    ...headOf(programs),
    newest: String(newestNanos),
    traces: traces.map(({ id, spans }) => [id, ...spans.map(packSpan)]),
    waiting: waiting.map((each) => {
      const { self, spans, end } = each.chain;
      return [packWaiting(each, programs), end, packSpan(self), ...spans.map(packSpan)];
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
        read.waiting(text, () => ({ self: read.span(self), spans: spans.map(read.span), end })),
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
    waiting: (text: string, chain: () => Chain): Waiting[] => {
      const { rule, ...rest } = decodeState(Buffer.from(text, 'base64')) as PackedWaiting;
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

function packWaiting(waiting: Waiting, { programs }: Programs): string {
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
  return Buffer.from(encodeState(packed)).toString('base64');
}

function packSpan({ spanId, parentId, endNanos, values }: KeptSpan): PackedSpan {
  return [spanId, parentId, String(endNanos), ...values.map(packValue)];
}

/** Absent is `[]` in an array, integers beyond numbers are texts in an object. */
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
