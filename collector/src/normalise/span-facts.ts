import type { GrownList } from '../model/grown-list.ts';
import type { ConversationPart } from '../model/span-events.ts';
import type { MessageCalls, ToolCall } from '../model/tool-call.ts';
import type { Value } from '../model/value.ts';
import { ArgumentSign, allArgumentSigns, argumentSigns } from './argument-signs.ts';
import { type ContentClass, classifiers, isUnusual, kindsIn } from './content-kinds.ts';
import { encodingsIn, withDecoded } from './decoded-layers.ts';
import { Effects, isShell, outgoingKinds } from './effects.ts';
import { effectsOfName } from './effects-of-name.ts';
import { type ProposedCall, type UntrustedFlow, untrustedFlow } from './flow.ts';
import { isCut, parsedOrCut, parsedValue, textsIn } from './json-value.ts';
import { messageCalls } from './message-calls.ts';
import { type Conversation, partOf } from './message-fields.ts';
import type { SentMessages } from './message-history.ts';
import { type Message, newMessages, parseInstructions, parseMessages, resultTexts, textsOf } from './messages.ts';
import { findUrls, imageUrls, registrableDomain, urlHost } from './network.ts';
import { anything, type OutputHints } from './output-hints.ts';
import { contentPlaces, encodedPlaces, type NamedTexts } from './places.ts';
import { type Content, type ProvenanceItem, provenanceItems, type Way } from './provenance.ts';
import { type ContentsByRole, contentsByRole } from './provenance-contents.ts';
import { definitionTexts } from './tool-definitions.ts';
import type { AttributeReader, Translated } from './translated.ts';
import { type Usage, usageOf } from './usage.ts';

type Texts = readonly string[];

/** What has been worked out for the current span. A new one costs little: most spans fill two or three of these. */
interface Kept {
  arguments?: Value;
  /** Whether the arguments, and the messages of the answer, were not cut off. */
  isWhole?: boolean;
  isOutputWhole?: boolean;
  argumentTexts?: Texts;
  effects?: Effects;
  argumentSigns?: number;
  bareEffects?: Effects;
  isPlain?: boolean;
  instructions?: Texts;
  input?: readonly Message[];
  sent?: SentMessages | undefined;
  /** The conversation that begins with `input`; of short ones there is none. */
  list?: GrownList<Message> | undefined;
  output?: readonly Message[];
  outputHints?: OutputHints;
  userTexts?: Texts;
  toolResultTexts?: Texts;
  systemTexts?: Texts;
  outputTexts?: Texts;
  retrievedTexts?: Texts;
  toolDefinitionTexts?: Texts;
  proposedCalls?: readonly ProposedCall[];
  flow?: UntrustedFlow;
  content?: Partial<Record<ContentClass, Texts>>;
  outgoing?: Partial<Record<ContentClass, Texts>>;
  provenance?: ContentsByRole;
  usage?: Usage | null;
}

/**
 * The derived facts of one span. Each is worked out when first asked for, so that a span pays only for what the rules of its
 * category read, and kept until the next batch, because storage asks for what detection has worked out.
 */
export class SpanFacts {
  readonly #read: AttributeReader;
  readonly translated: Translated;
  #kept: Kept = {};
  /** By span; empty when facts are kept for the current span only. */
  #all: (Kept | undefined)[] = [];

  constructor(read: AttributeReader, translated: Translated) {
    this.#read = read;
    this.translated = translated;
  }

  /** Forgets everything. @param spans how many spans the next batch has whose facts are to be kept */
  begin(spans: number): void {
    this.#all = new Array(spans);
  }

  /** The reader now reads another span; -1 is none. */
  turnTo(span: number): void {
    this.#kept = this.#all[span] ?? {};
    if (span >= 0 && span < this.#all.length) this.#all[span] = this.#kept;
  }

  get arguments(): Value {
    // Null is what spans without arguments have, and is kept as well.
    if (this.#kept.arguments === undefined) {
      const parsed = parsedValue(this.#read('gen_ai.tool.call.arguments'));
      this.#kept.isWhole = !isCut(parsed);
      this.#kept.arguments = (this.#kept.isWhole ? parsed : parsedOrCut(parsed)) ?? null;
    }
    return this.#kept.arguments;
  }

  get argumentTexts(): Texts {
    this.#kept.argumentTexts ??= textsIn(this.arguments);
    return this.#kept.argumentTexts;
  }

  get effects(): Effects {
    this.#kept.effects ??= this.#readEffects();
    return this.#kept.effects;
  }

  /**
   * The effects of the call, for a fact to which arguments add nothing that have none of these signs: those of its name alone, as for
   * most calls, and without parsing.
   */
  effectsBy(signs: number): Effects {
    const kept = this.#kept;
    if (kept.effects !== undefined) return kept.effects;
    kept.argumentSigns ??= this.#readArgumentSigns();
    if ((kept.argumentSigns & signs) !== 0) return this.effects;
    kept.bareEffects ??= this.#effectsOf(null);
    return kept.bareEffects;
  }

  /** Bytes are sent by calls that send, and by commands. */
  get bodyBytes(): number | undefined {
    const bare = this.effectsBy(ArgumentSign.named);
    return (bare.kinds.some((kind) => outgoingKinds.has(kind)) ? this.effects : bare).bodyBytes;
  }

  get userTexts(): Texts {
    this.#kept.userTexts ??= textsOf(newMessages(this.#input), 'user');
    return this.#kept.userTexts;
  }

  get toolResultTexts(): Texts {
    if (this.#kept.toolResultTexts === undefined) {
      const found = resultTexts(this.#read('gen_ai.tool.call.result'));
      for (const { parts } of newMessages(this.#input)) {
        for (const part of parts) {
          if (part.kind === 'tool_result') for (const text of resultTexts(part.result)) found.push(text);
        }
      }
      this.#kept.toolResultTexts = found;
    }
    return this.#kept.toolResultTexts;
  }

  get systemTexts(): Texts {
    // Some emitters put the instructions among the messages as well.
    if (this.#kept.systemTexts === undefined) {
      const all = [...this.#instructions, ...textsOf(this.#input, 'system', this.list)];
      this.#kept.systemTexts = all.length < 2 ? all : [...new Set(all)];
    }
    return this.#kept.systemTexts;
  }

  get outputTexts(): Texts {
    this.#kept.outputTexts ??= this.#output.flatMap((message) => textsOf([message], message.role));
    return this.#kept.outputTexts;
  }

  get retrievedTexts(): Texts {
    this.#kept.retrievedTexts ??= textsIn(parsedValue(this.#read('gen_ai.retrieval.documents')));
    return this.#kept.retrievedTexts;
  }

  get toolDefinitionTexts(): Texts {
    this.#kept.toolDefinitionTexts ??= definitionTexts(
      parsedValue(this.#read('gen_ai.tool.definitions')),
      this.#text('gen_ai.tool.description'),
    );
    return this.#kept.toolDefinitionTexts;
  }

  get proposedCalls(): readonly ProposedCall[] {
    this.#kept.proposedCalls ??= this.#outputWithCalls.flatMap((message) =>
      message.parts.flatMap((part) => (part.kind === 'tool_call' ? [part] : [])),
    );
    return this.#kept.proposedCalls;
  }

  /** Tokens and cost of a model call, unless a model call below it tells the same. */
  get usage(): Usage | undefined {
    if (this.#kept.usage === undefined) {
      const priced = this.translated.priced();
      this.#kept.usage = (priced && usageOf(this.#read, priced.prices, priced.timeMs)) ?? null;
    }
    return this.#kept.usage ?? undefined;
  }

  /** The call that a tool span is. */
  get toolCall(): ToolCall {
    const id = this.#text('gen_ai.tool.call.id');
    const name = this.#text('gen_ai.tool.name');
    return { id, name, arguments: this.arguments, isWhole: this.#kept.isWhole === true };
  }

  /** The tool calls that messages tell of. */
  get messageCalls(): MessageCalls | undefined {
    const isWhole = (name: string) => this.#kept.isOutputWhole ?? !isCut(parsedValue(this.#read(name)));
    return messageCalls(this.#input, this.#outputWithCalls, isWhole, this.list);
  }

  get flow(): UntrustedFlow {
    this.#kept.flow ??=
      this.proposedCalls.length === 0
        ? noFlow
        : untrustedFlow(this.proposedCalls, [...this.toolResultTexts, ...this.retrievedTexts], () => [
            ...textsOf(this.#input, 'user', this.list),
            ...this.systemTexts,
          ]);
    return this.#kept.flow;
  }

  get outputUrls(): Texts {
    return this.outputTexts.flatMap((text) => findUrls(text));
  }

  get outputDomains(): Texts {
    const hosts = this.outputUrls.map(urlHost).filter((host) => host !== undefined);
    return [...new Set(hosts.map(registrableDomain))];
  }

  get outputImageUrls(): Texts {
    return this.#outputHints.images ? this.outputTexts.flatMap(imageUrls) : none;
  }

  /** Kinds of content over every text of the span. */
  contentKinds(kind: ContentClass): Texts {
    this.#kept.content ??= {};
    this.#kept.content[kind] ??= this.#lacks(kind) ? none : kindsIn(this.#textsFor(kind), classifiers[kind]);
    return this.#kept.content[kind];
  }

  /** Whether no text can hold content of the kind: nothing is hidden in ASCII, and its letters are what they look like. */
  #lacks(kind: ContentClass): boolean {
    if (!isUnusual(kind)) return false;
    this.#kept.isPlain ??= this.translated.isPlain();
    return this.#kept.isPlain;
  }

  /** Where secrets and personal data stand, and where encoded text does. */
  get contentPlaces(): Texts {
    return contentPlaces(this.#namedTexts);
  }

  get encodedPlaces(): Texts {
    return encodedPlaces(this.#namedTexts);
  }

  /** Encodings in any text, as kinds. */
  get encodings(): Texts {
    return kindsIn(this.#textsWith(this.outputTexts), encodingsIn);
  }

  /** Kinds of content within the arguments of a call that carries them out, encoded or not. */
  outgoingKinds(kind: ContentClass): Texts {
    this.#kept.outgoing ??= {};
    this.#kept.outgoing[kind] ??= this.effectsBy(ArgumentSign.named).kinds.some((effect) => outgoingKinds.has(effect))
      ? kindsIn([withDecoded(this.argumentTexts)], classifiers[kind])
      : [];
    return this.#kept.outgoing[kind];
  }

  /** Values of content that the span brings in, of what the user and the operator say, and of arguments. */
  provenance(role: Content['role'], way: Way): readonly ProvenanceItem[] {
    this.#kept.provenance ??= contentsByRole({
      tool: this.#text('gen_ai.tool.name'),
      arguments: this.arguments,
      results: resultTexts(this.#read('gen_ai.tool.call.result')),
      retrieved: this.retrievedTexts,
      system: this.systemTexts,
      input: this.#input,
      list: this.list,
      proposed: this.proposedCalls,
    });
    const contents = this.#kept.provenance[role];
    return contents.length === 0 ? [] : provenanceItems(contents, way);
  }

  /** What was sent to the model and what it gave, without instructions beside. */
  get exchange(): { readonly input: readonly Message[]; readonly output: readonly Message[] } {
    return { input: this.#input, output: this.#output };
  }

  /** All messages of a model call, not only the new ones. */
  get conversation(): Conversation {
    const told = { instructions: this.#instructions, input: this.#input, output: this.#output };
    return this.list === undefined ? told : { ...told, list: this.list };
  }

  conversationPart(part: ConversationPart): Conversation {
    return partOf(this.conversation, part);
  }

  get #input(): readonly Message[] {
    this.#kept.input ??= this.#readInput();
    return this.#kept.input;
  }

  /** The list of the conversation, where the messages that were sent were read from one. */
  get list(): GrownList<Message> | undefined {
    return this.#kept.list;
  }

  /** What was sent, as far as it can be known without reading it. */
  get sent(): SentMessages | undefined {
    this.#kept.sent ??= this.translated.sent();
    return this.#kept.sent;
  }

  get #instructions(): Texts {
    this.#kept.instructions ??= parseInstructions(this.#read('gen_ai.system_instructions'));
    return this.#kept.instructions;
  }

  get #output(): readonly Message[] {
    this.#kept.output ??= this.translated.messages('gen_ai.output.messages') ?? this.#readOutput();
    return this.#kept.output;
  }

  /** The answer where it may hold calls. */
  get #outputWithCalls(): readonly Message[] {
    return this.#outputHints.calls ? this.#output : none;
  }

  get #outputHints(): OutputHints {
    // What is parsed already can be looked at itself.
    if (this.#kept.output !== undefined) return anything;
    this.#kept.outputHints ??= this.translated.outputHints() ?? anything;
    return this.#kept.outputHints;
  }

  #readInput(): readonly Message[] {
    const messages = this.translated.messages('gen_ai.input.messages');
    if (messages === undefined) return parseMessages(this.#read('gen_ai.input.messages'));
    this.#kept.list = this.translated.listOf(messages);
    return messages;
  }

  #readOutput(): readonly Message[] {
    const value = this.#read('gen_ai.output.messages');
    const parsed = parsedValue(value);
    this.#kept.isOutputWhole = !isCut(parsed);
    return parseMessages(typeof parsed === 'string' ? value : parsed, 'assistant');
  }

  /** The texts in which content of a kind may stand. */
  #textsFor(kind: ContentClass): readonly Texts[] {
    return this.#textsWith(isUnusual(kind) && !this.#outputHints.unusual ? none : this.outputTexts);
  }

  #textsWith(output: Texts): readonly Texts[] {
    const [user, results, system] = [this.userTexts, this.toolResultTexts, this.systemTexts];
    return [user, results, system, output, this.retrievedTexts, this.toolDefinitionTexts, this.argumentTexts];
  }

  get #namedTexts(): NamedTexts {
    return [
      ['user', this.userTexts],
      ['tool_result', this.toolResultTexts],
      ['system', this.systemTexts],
      ['output', this.outputTexts],
      ['retrieved', this.retrievedTexts],
      ['tool_definition', this.toolDefinitionTexts],
      ['arguments', this.argumentTexts],
    ];
  }

  #readEffects(): Effects {
    return this.#effectsOf(this.arguments);
  }

  #effectsOf(args: Value): Effects {
    const tool = this.#text('gen_ai.tool.name');
    const query = this.#text('db.query.text');
    const method = this.#text('http.request.method');
    const size = this.#read('http.request.body.size');
    if (query === '' && method === '' && size === undefined && args === null) return effectsOfName(tool);
    return new Effects(tool, args, {
      ...(query === '' ? {} : { query }),
      ...(method === '' ? {} : { method }),
      ...(typeof size === 'number' || typeof size === 'bigint' ? { bodyBytes: Number(size) } : {}),
    });
  }

  #readArgumentSigns(): number {
    const raw = this.translated.raw('gen_ai.tool.call.arguments');
    return raw === undefined || isShell(this.#text('gen_ai.tool.name')) ? allArgumentSigns : argumentSigns(raw);
  }

  #text(name: string): string {
    const value = this.#read(name);
    return typeof value === 'string' ? value : '';
  }
}

const noFlow = untrustedFlow([], [], () => []);
const none: readonly never[] = [];
