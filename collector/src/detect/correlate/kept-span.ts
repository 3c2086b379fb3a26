import { randomInt } from 'node:crypto';
import type { Session } from '../../model/session.ts';
import type { SpanIdentity } from '../span-identity.ts';

/** What many spans have in common, and a session, which few have. */
export interface SpanNames {
  readonly spanName: string;
  readonly serviceName: string;
  readonly agentName: string;
  readonly userId: string;
  readonly toolName: string;
  readonly session?: Session | undefined;
}

/**
 * The identity of a span as windows keep it: ids and times are numbers, ids from the first digits on, and become texts and bigints where
 * somebody asks, which is for findings. Windows hold very many of them, and whatever one consists of is something for the garbage
 * collector to move. Its properties are no members of its own: `plainSpan` gives a record.
 */
export class KeptSpan implements SpanIdentity {
  #endHigh: number;
  #endLow: number;
  #conversationId: string;
  #names: SpanNames;
  #span0: number;
  #span1: number;
  #trace0: number;
  #trace1: number;
  #trace2: number;
  #trace3: number;

  /** The words of the end and of the ids are signed 32-bit numbers, which are no objects of their own. */
  constructor(
    endHigh: number,
    endLow: number,
    conversationId: string,
    names: SpanNames,
    span0: number,
    span1: number,
    trace0: number,
    trace1: number,
    trace2: number,
    trace3: number,
  ) {
    this.#endHigh = endHigh;
    this.#endLow = endLow;
    this.#conversationId = conversationId;
    this.#names = names;
    this.#span0 = span0;
    this.#span1 = span1;
    this.#trace0 = trace0;
    this.#trace1 = trace1;
    this.#trace2 = trace2;
    this.#trace3 = trace3;
  }

  /** Another one for whoever may not see this one become another span. */
  copy(): KeptSpan {
    return new KeptSpan(
      this.#endHigh,
      this.#endLow,
      this.#conversationId,
      this.#names,
      this.#span0,
      this.#span1,
      this.#trace0,
      this.#trace1,
      this.#trace2,
      this.#trace3,
    );
  }

  /** Takes on what another one is, so that nothing new has to live on. Only for whoever is alone in holding this one. */
  become(other: KeptSpan): void {
    this.#endHigh = other.#endHigh;
    this.#endLow = other.#endLow;
    this.#conversationId = other.#conversationId;
    this.#names = other.#names;
    this.#span0 = other.#span0;
    this.#span1 = other.#span1;
    this.#trace0 = other.#trace0;
    this.#trace1 = other.#trace1;
    this.#trace2 = other.#trace2;
    this.#trace3 = other.#trace3;
  }

  /** Equal for spans of equal ids. Who makes up ids does not know it. */
  static hash(span: SpanIdentity): number {
    if (!(span instanceof KeptSpan)) return hashOf(span.spanId, span.traceId);
    const first = mixed(mixed(mixed(seed, span.#span0), span.#span1), span.#trace0);
    return mixed(mixed(mixed(mixed(first, span.#trace1), span.#trace2), span.#trace3), 0);
  }

  /** Whether both have the same ids. */
  static isSame(a: SpanIdentity, b: SpanIdentity): boolean {
    if (!(a instanceof KeptSpan && b instanceof KeptSpan)) return a.spanId === b.spanId && a.traceId === b.traceId;
    return (
      a.#span1 === b.#span1 &&
      a.#span0 === b.#span0 &&
      a.#trace0 === b.#trace0 &&
      a.#trace1 === b.#trace1 &&
      a.#trace2 === b.#trace2 &&
      a.#trace3 === b.#trace3
    );
  }

  get endNanos(): bigint {
    return nanosOf(this.#endHigh, this.#endLow);
  }

  get conversationId(): string {
    return this.#conversationId;
  }

  get spanId(): string {
    return digits(this.#span0) + digits(this.#span1);
  }

  get traceId(): string {
    return digits(this.#trace0) + digits(this.#trace1) + digits(this.#trace2) + digits(this.#trace3);
  }

  get spanName(): string {
    return this.#names.spanName;
  }

  get serviceName(): string {
    return this.#names.serviceName;
  }

  get agentName(): string {
    return this.#names.agentName;
  }

  get userId(): string {
    return this.#names.userId;
  }

  get toolName(): string {
    return this.#names.toolName;
  }

  get session(): Session | undefined {
    return this.#names.session;
  }
}

/** Which spans came already. Those of a window are many: a map of texts made for it took longer than all else about a finding. */
export class SpanSet {
  readonly spans: SpanIdentity[] = [];
  /** Places in `spans`, one more, by hash; 0 where there is none. At most half of them are taken. */
  #table = new Int32Array(64);

  add(span: SpanIdentity): void {
    let at = this.#slotOf(span);
    if (this.#table[at] !== 0) return;
    if (this.spans.length * 2 >= this.#table.length) {
      this.#grow();
      at = this.#slotOf(span);
    }
    this.spans.push(span);
    this.#table[at] = this.spans.length;
  }

  /** Where the span is, or would be. */
  #slotOf(span: SpanIdentity): number {
    const table = this.#table;
    const mask = table.length - 1;
    let at = KeptSpan.hash(span) & mask;
    for (; table[at] !== 0; at = (at + 1) & mask) if (KeptSpan.isSame(this.spans[table[at]! - 1]!, span)) break;
    return at;
  }

  #grow(): void {
    this.#table = new Int32Array(this.#table.length * 4);
    for (const [index, span] of this.spans.entries()) this.#table[this.#slotOf(span)] = index + 1;
  }
}

/** A span as a record of its own members, in the order in which they are written down. */
export function plainSpan(span: SpanIdentity): SpanIdentity {
  if (!(span instanceof KeptSpan)) return span;
  const { session } = span;
  const plain: SpanIdentity = {
    traceId: span.traceId,
    spanId: span.spanId,
    spanName: span.spanName,
    serviceName: span.serviceName,
    agentName: span.agentName,
    conversationId: span.conversationId,
    userId: span.userId,
    toolName: span.toolName,
    endNanos: span.endNanos,
  };
  return session === undefined ? plain : { ...plain, session };
}

const nanos = new BigUint64Array(1);
const halves = new Int32Array(nanos.buffer);

/** A time of 64 bits without sign from its two words. */
export function nanosOf(high: number, low: number): bigint {
  halves[0] = low;
  halves[1] = high;
  return nanos[0]!;
}

function digits(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}

const seed = randomInt(2 ** 31);

function mixed(hash: number, word: number): number {
  const product = Math.imul(hash ^ word, 0x9e3779b1 ^ (seed << 1));
  return product ^ (product >>> 15);
}

/** As that of numbers, where the ids are such: a window may hold spans of a snapshot beside those that came since. */
function hashOf(spanId: string, traceId: string): number {
  const id = spanId + traceId;
  const isHex = spanId.length === 16 && traceId.length === 32 && /^[0-9a-f]+$/.test(id);
  let hash = seed;
  if (isHex)
    for (let at = 0; at < id.length; at += 8) hash = mixed(hash, Number.parseInt(id.slice(at, at + 8), 16) | 0);
  else for (let at = 0; at < id.length; at++) hash = mixed(hash, id.charCodeAt(at));
  return mixed(hash, 0);
}
