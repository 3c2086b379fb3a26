import type { Value } from './value.ts';

export type NamedValue = readonly [name: string, value: Value];

/**
 * What an agent did, as a log record tells it, in the form in which rules see it: a span of no duration. Ids are lower-case hex;
 * those of the record where it has them, else derived from what the record says, so that the same record has the same ids
 * whenever it comes.
 */
export interface AgentEvent {
  readonly traceId: string;
  readonly spanId: string;
  /** '' when there is none. */
  readonly parentSpanId: string;
  readonly name: string;
  readonly startNanos: bigint;
  readonly endNanos: bigint;
  readonly failed: boolean;
  /** SpanKind of OTLP; left out for internal. */
  readonly kind?: number;
  readonly resource: readonly NamedValue[];
  readonly scopeName: string;
  readonly scopeVersion: string;
  /** Canonical attributes and the record's own. A name may stand twice; the last counts. */
  readonly attributes: readonly NamedValue[];
  /**
   * By what it and other events and spans are about the same thing, see `joinKeys`. '' when it stands alone.
   */
  readonly joinKey: string;
  /** Nothing more will be told about the same thing after it: an answer, a result, a refusal. */
  readonly final: boolean;
  /** Its place within its request: clocks are coarser than the order in which messages were told. */
  readonly place: number;
}

/** Keys under which an event finds the span it is about. Ids of calls are unique within a conversation only. */
export const joinKeys = {
  span: (traceId: string, spanId: string): string => `span:${traceId}${spanId}`,
  response: (id: string): string => `response:${id}`,
  call: (service: string, conversation: string, id: string): string =>
    `call:${JSON.stringify([service, conversation, id])}`,
} as const;
