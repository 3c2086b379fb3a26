import type { Value } from '../model/value.ts';
import { hiddenUnicodeKinds, piiKinds, secretKinds } from './content.ts';
import { type Effects, effectsOf, outgoingKinds } from './effects.ts';
import { type ProposedCall, type UntrustedFlow, untrustedFlow } from './flow.ts';
import { parsedValue, textsIn, walkScalars } from './json-value.ts';
import { type Message, newMessages, parseInstructions, parseMessages, resultTexts } from './messages.ts';
import { findUrls } from './network.ts';

/** Reads a canonical attribute of the span the facts are about. */
export type AttributeReader = (name: string) => Value | undefined;

/**
 * The derived facts of one span. Each is worked out when first asked for and kept, so that a span pays only for what the
 * rules of its category read.
 */
export class SpanFacts {
  readonly #read: AttributeReader;
  readonly #kept = new Map<string, unknown>();

  constructor(read: AttributeReader) {
    this.#read = read;
  }

  get arguments(): Value {
    return this.#once('arguments', () => parsedValue(this.#read('gen_ai.tool.call.arguments')) ?? null);
  }

  get argumentTexts(): readonly string[] {
    return this.#once('argumentTexts', () => textsIn(this.arguments));
  }

  get effects(): Effects {
    return this.#once('effects', () => effectsOf(this.#text('gen_ai.tool.name'), this.arguments));
  }

  get userTexts(): readonly string[] {
    return this.#once('userTexts', () => texts(newMessages(this.#input), 'user'));
  }

  get toolResultTexts(): readonly string[] {
    return this.#once('toolResultTexts', () => [
      ...resultTexts(this.#read('gen_ai.tool.call.result')),
      ...newMessages(this.#input).flatMap((message) =>
        message.parts.flatMap((part) => (part.kind === 'tool_result' ? resultTexts(part.result) : [])),
      ),
    ]);
  }

  get systemTexts(): readonly string[] {
    return this.#once('systemTexts', () => [
      ...parseInstructions(this.#read('gen_ai.system_instructions')),
      ...texts(this.#input, 'system'),
    ]);
  }

  get outputTexts(): readonly string[] {
    return this.#once('outputTexts', () => this.#output.flatMap((message) => texts([message], message.role)));
  }

  get retrievedTexts(): readonly string[] {
    return this.#once('retrievedTexts', () => textsIn(parsedValue(this.#read('gen_ai.retrieval.documents'))));
  }

  /** Names, descriptions and the descriptions inside schemas: all a poisoned definition can speak with. */
  get toolDefinitionTexts(): readonly string[] {
    return this.#once('toolDefinitionTexts', () => {
      const found: string[] = [];
      const definitions = parsedValue(this.#read('gen_ai.tool.definitions'));
      if (definitions !== undefined) {
        walkScalars(definitions, (scalar, path) => {
          if (typeof scalar === 'string' && /(?:^|\.)(?:name|description|title)$/.test(path)) found.push(scalar);
        });
      }
      const own = this.#text('gen_ai.tool.description');
      if (own !== '') found.push(own);
      return found;
    });
  }

  get proposedCalls(): readonly ProposedCall[] {
    return this.#once('proposedCalls', () =>
      this.#output.flatMap((message) => message.parts.flatMap((part) => (part.kind === 'tool_call' ? [part] : []))),
    );
  }

  get flow(): UntrustedFlow {
    return this.#once('flow', () =>
      untrustedFlow(
        this.proposedCalls,
        [...this.toolResultTexts, ...this.retrievedTexts],
        [...texts(this.#input, 'user'), ...this.systemTexts],
      ),
    );
  }

  get outputUrls(): readonly string[] {
    return this.#once('outputUrls', () => this.outputTexts.flatMap((text) => findUrls(text)));
  }

  get outputImageUrls(): readonly string[] {
    return this.#once('outputImageUrls', () => this.outputTexts.flatMap(imageUrls));
  }

  /** Kinds of content over every text of the span. */
  contentKinds(classify: (text: string) => string[]): readonly string[] {
    return this.#once(`content ${classify.name}`, () => kindsIn(this.#allTexts, classify));
  }

  /** Kinds of content within the arguments of a call that carries them out. */
  outgoingKinds(classify: (text: string) => string[]): readonly string[] {
    return this.#once(`outgoing ${classify.name}`, () =>
      this.effects.kinds.some((kind) => outgoingKinds.has(kind)) ? kindsIn(this.argumentTexts, classify) : [],
    );
  }

  get #input(): readonly Message[] {
    return this.#once('input', () => parseMessages(this.#read('gen_ai.input.messages')));
  }

  get #output(): readonly Message[] {
    return this.#once('output', () => parseMessages(this.#read('gen_ai.output.messages')));
  }

  get #allTexts(): readonly string[] {
    return this.#once('allTexts', () => [
      ...this.userTexts,
      ...this.toolResultTexts,
      ...this.systemTexts,
      ...this.outputTexts,
      ...this.retrievedTexts,
      ...this.toolDefinitionTexts,
      ...this.argumentTexts,
    ]);
  }

  #text(name: string): string {
    const value = this.#read(name);
    return typeof value === 'string' ? value : '';
  }

  #once<T>(key: string, compute: () => T): T {
    if (!this.#kept.has(key)) this.#kept.set(key, compute());
    return this.#kept.get(key) as T;
  }
}

export const classifiers = { secrets: secretKinds, pii: piiKinds, hiddenUnicode: hiddenUnicodeKinds } as const;

function texts(messages: readonly Message[], role: Message['role']): string[] {
  return messages
    .filter((message) => message.role === role)
    .flatMap((message) => message.parts.flatMap((part) => (part.kind === 'text' ? [part.text] : [])));
}

function kindsIn(all: readonly string[], classify: (text: string) => string[]): string[] {
  return [...new Set(all.flatMap(classify))];
}

/** Images a client would fetch by itself: markdown and HTML. */
function imageUrls(text: string): string[] {
  const found: string[] = [];
  for (const match of text.matchAll(/!\[[^\]\n]{0,512}\]\(\s?<?(https?:\/\/[^\s)>]{1,2048})/gi)) found.push(match[1]!);
  for (const match of text.matchAll(/<img\s[^>]{0,1024}?src\s?=\s?["']?(https?:\/\/[^\s"'>]{1,2048})/gi))
    found.push(match[1]!);
  return found.slice(0, 64);
}
