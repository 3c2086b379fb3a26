import type { Value } from './value.ts';

/** A tool call as one of its views tells it: a tool span, or a message of a model call. */
export interface ToolCall {
  /** '' where the emitter gives none. */
  readonly id: string;
  /** '' where only a result is told. */
  readonly name: string;
  /** Parsed; null when none are told. */
  readonly arguments: Value;
  /** Whether the arguments are all there: what was cut off cannot be compared. */
  readonly isWhole: boolean;
}

/** A call with its result, as the messages of a model call tell it. */
export interface AnsweredCall extends ToolCall {
  readonly result: Value;
  /** Whether the messages hold the call itself, not only its result. */
  readonly isAsked: boolean;
  /** How many messages were sent with it. */
  readonly turn: number;
}

/** The tool calls that messages of a model call tell of. */
export interface MessageCalls {
  /** Those that the model asks for in its answer. */
  readonly proposed: readonly ToolCall[];
  /** Those whose results are new in it. */
  readonly answered: readonly AnsweredCall[];
}
