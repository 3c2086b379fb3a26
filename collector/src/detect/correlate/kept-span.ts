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
 * The identity of a span as windows keep it: ids are numbers, from the first digits on, and become texts where somebody asks,
 * which is for findings. Windows hold very many of them, and whatever one consists of is something for the garbage collector to
 * move. Its properties are no members of its own: `plainSpan` gives a record.
 */
export class KeptSpan implements SpanIdentity {
  readonly endNanos: bigint;
  readonly conversationId: string;
  readonly #names: SpanNames;
  readonly #span0: number;
  readonly #span1: number;
  readonly #trace0: number;
  readonly #trace1: number;
  readonly #trace2: number;
  readonly #trace3: number;

  /** The words of the ids are signed 32-bit numbers, which are no objects of their own. */
  constructor(
    endNanos: bigint,
    conversationId: string,
    names: SpanNames,
    span0: number,
    span1: number,
    trace0: number,
    trace1: number,
    trace2: number,
    trace3: number,
  ) {
    this.endNanos = endNanos;
    this.conversationId = conversationId;
    this.#names = names;
    this.#span0 = span0;
    this.#span1 = span1;
    this.#trace0 = trace0;
    this.#trace1 = trace1;
    this.#trace2 = trace2;
    this.#trace3 = trace3;
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

function digits(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
