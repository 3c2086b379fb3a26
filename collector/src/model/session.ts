/** What made a span part of its session. */
export type SessionSource = 'conversation' | 'response' | 'tool_call' | 'prefix' | 'trace';

export interface Session {
  /** A conversation or trace id as the sender has it, or 32 hex digits made of the first tool call or response of the session. */
  readonly id: string;
  readonly source: SessionSource;
}

/** What a call shows of the calls before and after it, as the emitter tells it: '' and empty where it tells nothing. */
export interface SessionKeys {
  /** Id of the response it goes on from. */
  readonly previousResponse: string;
  /** Id of its own response. */
  readonly response: string;
  /**
   * Tool calls that it was given, made by calls before it; the oldest first, and of more than are looked at the first one and the newest.
   * Of a tool, the call that it carries out.
   */
  readonly givenCalls: readonly string[];
  /** It was told by the messages of a model call in the same trace, and is of its session. */
  readonly isTold: boolean;
  /** Tool calls that it made. */
  readonly madeCalls: readonly string[];
  /** Hashes of the messages up to and with each answer of the model that it was given, of the newest ones; the shortest first. */
  readonly prefixes: readonly string[];
  /** The hash of all its messages, with those of its answer. */
  readonly whole: string;
}

/** The session of what happened on a span: what other spans told, else its conversation, else its trace. */
export function sessionOf(span: {
  readonly session?: Session | undefined;
  readonly conversationId: string;
  readonly traceId: string;
}): Session {
  if (span.session !== undefined) return span.session;
  return span.conversationId === ''
    ? { id: span.traceId, source: 'trace' }
    : { id: span.conversationId, source: 'conversation' };
}
