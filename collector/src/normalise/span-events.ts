import type { FieldId, FieldTable } from '../model/fields.ts';
import { limits } from '../model/limits.ts';
import type { PriceList } from '../model/prices.ts';
import type { RepeatedListsBounds, SentList } from '../model/repeated-lists.ts';
import type { Session, SessionKeys } from '../model/session.ts';
import { Attribute, Span, type SpanBatch, ValueType } from '../model/span-batch.ts';
import {
  type AddedAttribute,
  Category,
  type ConversationPart,
  type RepeatedTexts,
  type SpanEvents,
} from '../model/span-events.ts';
import type { MessageCalls, ToolCall } from '../model/tool-call.ts';
import type { Value } from '../model/value.ts';
import { valueText } from '../model/value.ts';
import { categoryByPresence, operationCategories, operationCategoriesAt } from './categories.ts';
import { expectedContent, missingContent } from './coverage.ts';
import { sourcesOf } from './derivations.ts';
import { elsewhere } from './dialects/dialect.ts';
import { dialects as knownDialects } from './dialects/registry.ts';
import { type MessageField, type TranslationFaults, Translator } from './dialects/translator.ts';
import { type FieldReader, fieldReader, isRedacted } from './fields.ts';
import { messageFields, messageTexts } from './message-fields.ts';
import { listedMessagesMin, MessageHistory, type SentMessages } from './message-history.ts';
import type { Message } from './messages.ts';
import { type OutputHints, outputHints } from './output-hints.ts';
import { everything, Presence } from './presence.ts';
import { hasMaps, isPlain, isText, lengthOf, rangeOf, rawText } from './raw-values.ts';
import { sessionKeys } from './session-keys.ts';
import { SpanFacts } from './span-facts.ts';
import { spanTexts } from './span-texts.ts';

/** What could not be taken from spans of other dialects. */
export type DialectFaults = TranslationFaults & {
  /** Flattened keys that could not be put together. */
  readonly droppedKeys: number;
};

/**
 * The normaliser's view of a batch for rules; see `SpanEvents`. One object serves every batch: `bind` points it at the
 * next. Values are remembered for the span that was asked about last, so ask span by span.
 */
export class NormalisedEvents implements SpanEvents {
  batch!: SpanBatch;
  #sessions: ReadonlyMap<number, Session> | undefined;
  wrappers: ReadonlySet<number> | undefined;
  readonly #fields: FieldTable;
  readonly #operation: FieldId;
  readonly #conversation: FieldId;
  readonly #byPresence: readonly (readonly [FieldId, number])[];
  /** Fields of `expectedContent`. */
  readonly #content: readonly FieldId[];
  /** All attributes that texts come from. */
  readonly #contents: readonly FieldId[];
  readonly #readers: (FieldReader | undefined)[] = [];
  readonly #textSources: (readonly FieldId[] | undefined)[] = [];
  /** Values of the current span by field id; `#stamps` tells which of them are of this span. */
  readonly #values: (Value | undefined)[] = [];
  readonly #stamps: number[] = [];
  #stamp = 0;
  #span = -1;
  /** By span of the batch, -1 until somebody asks: detection, casework and storage each go through the batch on their own. */
  #categories = new Int16Array(0);
  /** Of the current span; undefined until somebody asks. */
  #hasMaps: boolean | undefined;
  readonly #presence: Presence;
  /** Of the current span: which attributes that facts come from are there. */
  #present = everything;
  readonly #translator: Translator;
  readonly #history: MessageHistory;
  readonly #facts: SpanFacts;

  /** Ids of the few attributes that facts read, so that their names are hashed once. */
  readonly #ids = new Map<string, FieldId>();

  /**
   * @param prices without them no call has a cost.
   * @param history how much is remembered of conversations
   */
  constructor(fields: FieldTable, prices?: PriceList, history: Partial<RepeatedListsBounds> = {}) {
    this.#fields = fields;
    this.#history = new MessageHistory(history);
    this.#presence = new Presence(fields);
    this.#operation = fields.intern('gen_ai.operation.name');
    this.#conversation = fields.intern('gen_ai.conversation.id');
    this.#byPresence = categoryByPresence.map(([name, category]) => [fields.intern(name), category]);
    this.#contents = sourcesOf('spanwarden.content')!.map((name) => fields.intern(name));
    this.#content = expectedContent.map(({ attribute }) => fields.intern(attribute));
    const read = (name: string) => this.value(this.#span, this.#idOf(name));
    this.#translator = new Translator(fields, knownDialects, read, history);
    this.#facts = new SpanFacts(read, {
      value: (name) => this.#translator.value(this.#span, name),
      corrected: (name) => this.#translator.corrected(this.#span, name),
      messages: (name) => this.#translatedMessages(name),
      sent: () => this.#sentMessages(),
      listOf: (messages) =>
        this.#translator.listOf(messages) ??
        (messages.length < listedMessagesMin ? undefined : this.#history.listOf(messages)),
      outputHints: () => this.#outputHints(),
      raw: (name) => this.#raw(name),
      isPlain: () => this.#isPlain(),
      missing: () => this.#missingContent(),
      dialect: () => this.#translator.dialectOf(this.#span),
      hasMaps: () => {
        this.#hasMaps ??= hasMaps(this.batch, this.#span);
        return this.#hasMaps;
      },
      priced: () => this.#priced(prices),
      session: () => this.#sessions?.get(this.#span),
    });
  }

  /** What could not be taken from spans of other dialects, since the start. */
  get faults(): DialectFaults {
    return { ...this.#translator.faults, droppedKeys: this.#translator.droppedKeys };
  }

  get sessions(): ReadonlyMap<number, Session> | undefined {
    return this.#sessions;
  }

  /** What was read of the current span may have been read without its session. */
  set sessions(sessions: ReadonlyMap<number, Session> | undefined) {
    this.#sessions = sessions;
    this.#turnTo(-1);
  }

  bind(batch: SpanBatch): this {
    this.batch = batch;
    this.#sessions = undefined;
    this.wrappers = undefined;
    this.#translator.begin(batch);
    this.#presence.begin();
    if (this.#categories.length < batch.spanCount) this.#categories = new Int16Array(batch.spanCount);
    this.#categories.fill(-1, 0, batch.spanCount);
    this.#facts.begin(batch.bytes.length <= limits.factsKeptBatchBytesMax ? batch.spanCount : 0);
    this.#turnTo(-1);
    return this;
  }

  value(span: number, field: FieldId): Value | undefined {
    if (span !== this.#span) this.#turnTo(span);
    if (this.#stamps[field] === this.#stamp) return this.#values[field];
    if ((this.#presence.needs(field) & this.#present) === 0) return undefined;
    let reader = this.#readers[field];
    if (reader === undefined) {
      reader = fieldReader(this.#fields.name(field), this.#fields);
      this.#readers[field] = reader;
    }
    const value = reader(this.batch, span, this.#facts);
    this.#values[field] = value;
    this.#stamps[field] = this.#stamp;
    return value;
  }

  contents(span: number): number {
    if (span !== this.#span) this.#turnTo(span);
    return this.#present;
  }

  contentsOf(field: FieldId): number {
    return this.#presence.needs(field);
  }

  textSources(field: FieldId): readonly FieldId[] | undefined {
    let sources = this.#textSources[field];
    if (sources === undefined) {
      const name = this.#fields.name(field);
      sources = name.startsWith('spanwarden.text.') ? sourcesOf(name)!.map((each) => this.#fields.intern(each)) : none;
      this.#textSources[field] = sources;
    }
    return sources.length === 0 ? undefined : sources;
  }

  isAsSent(span: number): boolean {
    return this.contents(span) !== everything;
  }

  sentAgain(span: number, field: FieldId): SentList<unknown> | undefined {
    if (!this.isAsSent(span) || field !== this.#idOf(inputMessages)) return undefined;
    const row = this.batch.findSpanAttribute(span, field);
    return row >= 0 && lengthOf(this.batch, row) > limits.screenBytesMax ? this.#facts.sent : undefined;
  }

  partOf(part: ConversationPart, span: number, field: FieldId): Value | undefined {
    if (span !== this.#span) this.#turnTo(span);
    const read = messageFields[this.#fields.name(field)];
    if (read === undefined) return this.value(span, field);
    const texts = read(this.#facts.conversationPart(part));
    return texts.length === 0 ? undefined : texts;
  }

  repeated(span: number, field: FieldId, part?: ConversationPart): RepeatedTexts | undefined {
    if (span !== this.#span) this.#turnTo(span);
    if ((this.#presence.needs(field) & this.#present) === 0) return undefined;
    const told = part === undefined ? this.#facts.conversation : this.#facts.conversationPart(part);
    return messageTexts(this.#fields.name(field), told);
  }

  categories(span: number): number {
    const known = this.#categories[span]!;
    if (known >= 0) return known;
    this.#categories[span] = this.#readCategories(span);
    return this.#categories[span]!;
  }

  #readCategories(span: number): number {
    const { categories, dialects, operationRow } = this.#translator.recognise(span);
    let all = categories;
    if (dialects !== 0) return all | this.#translatedCategories(span);
    if (operationRow >= 0) all |= this.#operationCategories(operationRow);
    return all;
  }

  #operationCategories(row: number): number {
    const { attributes, bytes } = this.batch;
    const at = row * Attribute.stride;
    return attributes[at + Attribute.type] === ValueType.string
      ? operationCategoriesAt(bytes, attributes[at + Attribute.value]!, attributes[at + Attribute.length]!)
      : operationCategories(valueText(this.batch.attributeValue(row)));
  }

  added(span: number): readonly AddedAttribute[] {
    if (this.#translator.recognise(span).dialects === 0) return none;
    const added = this.#translator.fieldsOf(span).flatMap(({ name, field }): AddedAttribute[] => {
      if (this.batch.findSpanAttribute(span, field) >= 0) return [];
      const value = this.value(span, field);
      return value === undefined ? [] : [{ name, value: valueText(value) }];
    });
    for (const name of this.#translator.correctable(span)) {
      const id = this.#idOf(name);
      const row = this.batch.findSpanAttribute(span, id);
      if (row < 0 || this.#translator.corrected(span, name) === undefined) continue;
      const value = this.value(span, id);
      added.push({ name, value: value === undefined ? '' : valueText(value), corrects: true });
    }
    if (added.length === 0 && this.#translator.isCanonical(span)) return none;
    const dialect = this.#translator.dialectOf(span)!;
    added.push({ name: 'spanwarden.dialect', value: dialect.names.join(',') });
    if (dialect.version !== '') added.push({ name: 'spanwarden.dialect_version', value: dialect.version });
    return added.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  translatable(span: number): readonly FieldId[] {
    if (this.#translator.recognise(span).dialects === 0) return none;
    return this.#translator.fieldsOf(span).map(({ field }) => field);
  }

  sessionKeys(span: number): SessionKeys | undefined {
    if (span !== this.#span) this.#turnTo(span);
    return sessionKeys(this.#facts, (name) => this.value(span, this.#idOf(name)));
  }

  toolCall(span: number): ToolCall {
    if (span !== this.#span) this.#turnTo(span);
    return this.#facts.toolCall;
  }

  messageCalls(span: number): MessageCalls | undefined {
    if (span !== this.#span) this.#turnTo(span);
    return this.#facts.messageCalls;
  }

  texts(span: number): readonly string[] {
    return spanTexts(this.batch, span);
  }

  #missingContent(): readonly string[] {
    const failed = this.batch.spans[this.#span * Span.stride + Span.statusCode] === statusError;
    return missingContent(this.categories(this.#span), failed, this.#operationOf, this.#lacks);
  }

  readonly #operationOf = (): string | undefined => {
    const operation = this.value(this.#span, this.#operation);
    return typeof operation === 'string' ? operation : undefined;
  };

  readonly #lacks = (place: number): boolean => {
    const row = this.batch.findSpanAttribute(this.#span, this.#content[place]!);
    const name = expectedContent[place]!.attribute;
    const own = this.#own(row, name);
    if (own !== elsewhere) return own === null;
    const { dialects } = this.#translator.recognise(this.#span);
    if (dialects === 0) return true;
    return name === 'gen_ai.input.messages' || name === 'gen_ai.output.messages'
      ? this.#translator.messages(this.#span, name) === undefined
      : this.#translator.value(this.#span, name) === undefined;
  };

  /** Whether the span's own canonical attribute at this row says something (undefined), nothing (null), or others are to be asked. */
  #own(row: number, name: string): undefined | null | typeof elsewhere {
    if (row < 0 || isRedacted(this.batch, row)) return elsewhere;
    const corrected = this.#translator.corrected(this.#span, name);
    return corrected === null || corrected === elsewhere ? corrected : undefined;
  }

  /** Undefined where the messages are to be read from the value of the canonical attribute. */
  #translatedMessages(name: MessageField): readonly Message[] | undefined {
    const own = this.#own(this.batch.findSpanAttribute(this.#span, this.#idOf(name)), name);
    if (own === elsewhere) return this.#translator.messages(this.#span, name);
    if (own === null) return none;
    const isAsSent = this.#translator.corrected(this.#span, name) === undefined;
    return isAsSent && name === inputMessages ? this.#repeatedMessages() : undefined;
  }

  #outputHints(): OutputHints | undefined {
    const name = 'gen_ai.output.messages';
    const field = this.#idOf(name);
    const row = this.batch.findSpanAttribute(this.#span, field);
    if (this.#own(row, name) !== undefined || this.#translator.corrected(this.#span, name) !== undefined)
      return undefined;
    return isText(this.batch, row) ? outputHints(rawText(this.batch, row)) : undefined;
  }

  #raw(name: string): string | undefined {
    if (this.#present === everything) return undefined;
    const row = this.batch.findSpanAttribute(this.#span, this.#idOf(name));
    if (row < 0) return '';
    return isText(this.batch, row) ? rawText(this.batch, row) : undefined;
  }

  #isPlain(): boolean {
    return this.#present !== everything && this.#contents.every(this.#isPlainAt);
  }

  readonly #isPlainAt = (field: FieldId): boolean => {
    // Of messages that came before it is known.
    if (this.sentAgain(this.#span, field)?.list.isPlain) return true;
    const row = this.batch.findSpanAttribute(this.#span, field);
    return row < 0 || (isText(this.batch, row) && isPlain(this.batch, row));
  };

  /** The conversation that a call sends again, of which only what is new is read. */
  #repeatedMessages(): readonly Message[] | undefined {
    const { sent } = this.#facts;
    if (sent === undefined) return undefined;
    const [start, end] = rangeOf(this.batch, this.batch.findSpanAttribute(this.#span, this.#idOf(inputMessages)));
    return this.#history.read(sent, this.batch.bytes, start, end);
  }

  #sentMessages(): SentMessages | undefined {
    const row = this.batch.findSpanAttribute(this.#span, this.#idOf(inputMessages));
    if (row < 0 || !isText(this.batch, row)) return undefined;
    // What a session is may be found out later, by these messages: conversation and trace are known.
    const conversation = this.value(this.#span, this.#conversation) || this.#traceId();
    const [start, end] = rangeOf(this.batch, row);
    return this.#history.find(valueText(conversation), this.batch.bytes, start, end);
  }

  #traceId(): string {
    return this.batch.hex(this.batch.spans[this.#span * Span.stride + Span.traceId]!, 16);
  }

  /** Categories by what the span says in another dialect. */
  #translatedCategories(span: number): number {
    const operation = this.value(span, this.#operation) ?? null;
    let categories = operation === null ? 0 : operationCategories(valueText(operation));
    for (const [field, category] of this.#byPresence) {
      if (this.value(span, field) !== undefined) categories |= category;
    }
    return categories;
  }

  #priced(
    prices: PriceList | undefined,
  ): { readonly prices: PriceList | undefined; readonly timeMs: number } | undefined {
    if ((this.categories(this.#span) & Category.llm) === 0 || this.wrappers?.has(this.#span)) return undefined;
    const end = this.batch.nanos(this.batch.spans[this.#span * Span.stride + Span.end]!);
    return { prices, timeMs: Number(end / 1_000_000n) };
  }

  #idOf(name: string): FieldId {
    let id = this.#ids.get(name);
    if (id === undefined) {
      id = this.#fields.intern(name);
      this.#ids.set(name, id);
    }
    return id;
  }

  #turnTo(span: number): void {
    this.#span = span;
    this.#stamp++;
    this.#present = span < 0 ? everything : this.#presentIn(span);
    this.#hasMaps = undefined;
    this.#facts.turnTo(span);
  }

  #presentIn(span: number): number {
    const { dialects } = this.#translator.recognise(span);
    return dialects === 0 ? this.#presence.of(this.batch, span) : everything;
  }
}

const none: readonly never[] = [];
const statusError = 2;
const inputMessages = 'gen_ai.input.messages';
