import type { GrownList } from '../model/grown-list.ts';
import type { PriceList } from '../model/prices.ts';
import type { Session } from '../model/session.ts';
import type { Value } from '../model/value.ts';
import type { Correction } from './dialects/dialect.ts';
import type { SentMessages } from './message-history.ts';
import type { Message } from './messages.ts';
import type { OutputHints } from './output-hints.ts';

/** Reads a canonical attribute of the span the facts are about. */
export type AttributeReader = (name: string) => Value | undefined;

/** What the span says in another dialect than the canonical one. */
export interface Translated {
  value(name: string): Value | undefined;
  /** What counts in place of an attribute that the span has; see `Translator.corrected`. */
  corrected(name: string): ReturnType<Correction>;
  messages(name: 'gen_ai.input.messages' | 'gen_ai.output.messages'): readonly Message[] | undefined;
  /** The conversation that the messages sent may go on with, found once; undefined where there is none. */
  sent(): SentMessages | undefined;
  /** The list of the conversation that begins with these messages, which were the last that were asked for. */
  listOf(messages: readonly Message[]): GrownList<Message> | undefined;
  /** What the answer may hold; only for one that is read from its canonical attribute. */
  outputHints(): OutputHints | undefined;
  /**
   * The bytes of an attribute, each as one character, empty where the span has none. Undefined where facts may come from elsewhere, or
   * it is no text.
   */
  raw(name: string): string | undefined;
  /** Whether all contents are text in ASCII in which no escape stands for something else; false where that cannot be told. */
  isPlain(): boolean;
  /** Content that was not captured. */
  missing(): readonly string[];
  dialect(): { readonly names: readonly string[]; readonly version: string } | undefined;
  /** Whether an attribute of the span is a map, so that a name may be the path to a member of one. */
  hasMaps(): boolean;
  /** When the span ended, and the prices of that time; undefined for a span whose tokens do not count. */
  priced(): { readonly prices: PriceList | undefined; readonly timeMs: number } | undefined;
  /** Its session as other spans tell it. */
  session(): Session | undefined;
}
