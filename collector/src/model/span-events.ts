import type { FieldId } from './fields.ts';
import type { Grown } from './grown-list.ts';
import type { SentList } from './repeated-lists.ts';
import type { Session, SessionKeys } from './session.ts';
import type { SpanBatch } from './span-batch.ts';
import type { MessageCalls, ToolCall } from './tool-call.ts';
import type { Value } from './value.ts';

/**
 * What rules see of a batch: every span as an event with named fields. A field is an OTel attribute (canonical name),
 * a resource attribute, a span property (`span.name`, `span.kind`, `span.status_code`, …) or a derived fact
 * (`spanwarden.*`); it is computed when it is first asked for and remembered while the span is the current one.
 */
export interface SpanEvents {
  readonly batch: SpanBatch;
  /** The value of a field, or undefined when the span has no such field. */
  value(span: number, field: FieldId): Value | undefined;
  /**
   * The value for a part of the conversation of a call: of fields over all messages (`message.…`) what calls before had sent or got, or
   * what is new, which is the answer and what was said since the one before. Other fields are as they are.
   */
  partOf?(part: ConversationPart, span: number, field: FieldId): Value | undefined;
  /**
   * The value, as a whole or for a part of the conversation, of a field that calls tell again and again: as texts to which calls add.
   * Undefined where `value` and `partOf` have to be asked.
   */
  repeated?(span: number, field: FieldId, part?: ConversationPart): RepeatedTexts | undefined;
  /** Which contents a span has, as bits; left out where that cannot be told. */
  contents?(span: number): number;
  /** The bits of which `contents` of a span must have one for the field to have a value. */
  contentsOf?(field: FieldId): number;
  /** The attributes that all texts of a field are read from in spans that are as they were sent; undefined for other fields. */
  textSources?(field: FieldId): readonly FieldId[] | undefined;
  /**
   * Whether those attributes, under these names, are all there is: each text stands in the bytes of a value as it is or as JSON, or is
   * JSON that was read and written anew.
   */
  isAsSent?(span: number): boolean;
  /**
   * The list that a long attribute of such a span goes on with, known by its bytes alone; undefined where there is none. What is noted with
   * it holds for the calls that send it again.
   */
  sentAgain?(span: number, field: FieldId): SentList<unknown> | undefined;
  /** Which logsource categories the span belongs to: an OR of `Category` bits, 0 for a span that is no agent's. */
  categories(span: number): number;
  /** Every scalar text of the span for keyword search: attribute values, name, status message, span events. */
  texts(span: number): readonly string[];
  /** Canonical attributes that the span says in another dialect, by name; none for most spans. */
  added?(span: number): readonly AddedAttribute[];
  /** Canonical attributes that the dialects of the span may say; none for most spans. */
  translatable?(span: number): readonly FieldId[];
  /** What ties a call to those before and after it; undefined when it shows nothing of the kind. */
  sessionKeys?(span: number): SessionKeys | undefined;
  /** Sessions of spans that other spans told, where they are neither conversation nor trace; for `spanwarden.session`. */
  sessions?: ReadonlyMap<number, Session> | undefined;
  /** Model calls that restate the tokens of a model call below them. */
  wrappers?: ReadonlySet<number> | undefined;
  /** The call that a tool span is. */
  toolCall?(span: number): ToolCall;
  /** The tool calls that the messages of a model call tell of; undefined when there are none. */
  messageCalls?(span: number): MessageCalls | undefined;
}

/** The texts of a field, in this order, at least one. */
export interface RepeatedTexts {
  readonly head: readonly string[];
  /** The first `count` of these. */
  readonly sent: Grown<string>;
  readonly count: number;
  readonly tail: readonly string[];
}

export type ConversationPart = 'earlier' | 'new';

/** An attribute that is stored with a span beside its own, as the text it is stored as. */
export interface AddedAttribute {
  readonly name: string;
  readonly value: string;
  /**
   * What the span itself has under this name is wrong: it is stored as `spanwarden.original.<name>`, and this value in its place, or none
   * where it is empty.
   */
  readonly corrects?: true;
}

/** Logsource categories as bits; one span may have several (an MCP tool call is `tool` and `mcp`). */
export const Category = {
  llm: 1,
  tool: 2,
  agent: 4,
  mcp: 8,
  retrieval: 16,
  http: 32,
  db: 64,
  file: 128,
} as const;

export type CategoryName = keyof typeof Category;
