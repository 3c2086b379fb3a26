import type { Grown, GrownList } from '../model/grown-list.ts';
import { limits } from '../model/limits.ts';
import type { SessionKeys } from '../model/session.ts';
import { Category } from '../model/span-events.ts';
import { type Value, valueText } from '../model/value.ts';
import { operationCategories } from './categories.ts';
import { messageHashes, nextPrefix } from './message-hash.ts';
import type { Message } from './messages.ts';
import type { SpanFacts } from './span-facts.ts';

/** Shorter ids are counters and names: many calls have the same. */
const idCharsMin = 8;
/** Longer ones are no ids. */
const idCharsMax = 256;

/** What ties the span to the calls before and after it; undefined when it shows nothing of the kind. */
export function sessionKeys(facts: SpanFacts, read: (name: string) => Value | undefined): SessionKeys | undefined {
  const operation = valueText(read('gen_ai.operation.name') ?? '');
  const isEvent = operation === 'agent_event';
  // A run of an agent goes by its trace.
  if (!isEvent && (operationCategories(operation) & Category.agent) !== 0) return undefined;
  const { input, output } = facts.exchange;
  const isTool = isEvent || operation === 'execute_tool';
  const own = ownCalls(read('gen_ai.tool.call.id'));
  const given = callIds(input, facts.list);
  const made = new Set<string>();
  for (const message of output) addCallIds(message, made);
  const ofTool = isTool ? own.filter((id) => !given.has(id)) : none;
  if (!isTool) for (const id of own) made.add(id);
  const givenCalls = [...given.ids, ...ofTool];
  const previousResponse = idOf(read('gen_ai.request.previous_response.id'));
  const response = idOf(read('gen_ai.response.id'));
  // Ids tell more than texts, which many conversations begin with.
  const byText = givenCalls.length === 0 && previousResponse === '' && input.length > 0;
  const { prefixes, last } = byText ? textKeys(input, facts.list) : noText;
  const whole = byText && made.size === 0 && output.length > 0 ? output.reduce(nextPrefix, last) : '';
  const isTold = isTool && read('spanwarden.tool_call.told_by') !== undefined;
  const ids = givenCalls.length + made.size + prefixes.length;
  if (ids === 0 && !isTold && previousResponse === '' && response === '' && whole === '') return undefined;
  const madeCalls = [...made].filter((id) => !given.has(id) && !ofTool.includes(id));
  return { previousResponse, response, isTold, givenCalls, madeCalls, prefixes, whole };
}

const none: readonly string[] = [];
const noText: TextKeys = { prefixes: none, last: '' };

/** OpenLIT writes all calls that a model made on its span, as one text. */
function ownCalls(value: Value | undefined): readonly string[] {
  return typeof value === 'string' ? value.split(', ').filter((id) => idOf(id) !== '') : none;
}

interface TextKeys {
  /** Of the newest answers, the shortest first. */
  readonly prefixes: readonly string[];
  /** Of all messages. */
  readonly last: string;
}

function textKeys(messages: readonly Message[], list: GrownList<Message> | undefined): TextKeys {
  const hashes = list?.derived('prefixes', addPrefix, messages.length).items ?? messageHashes(messages).prefixes;
  const prefixes: string[] = [];
  for (let at = messages.length - 1; at >= 0 && prefixes.length < limits.sessionKeysPerCallMax; at--)
    if (messages[at]!.role === 'assistant') prefixes.push(hashes[at]!);
  return { prefixes: prefixes.reverse(), last: hashes[messages.length - 1]! };
}

/** One for each message. */
function addPrefix(message: Message, into: string[]): number {
  into.push(nextPrefix(into.at(-1) ?? '', message));
  return prefixBytes;
}

const prefixBytes = 56;

/** Ids of tool calls in messages. */
interface CallIds {
  /** The first one, and the newest, the oldest first. */
  readonly ids: readonly string[];
  has(id: string): boolean;
}

/** Calls and results alike: a request may bring only the result of a call that the provider remembers. */
function callIds(messages: readonly Message[], list: GrownList<Message> | undefined): CallIds {
  if (list === undefined) {
    const found = new Set<string>();
    for (const message of messages) addCallIds(message, found);
    return { ids: found.size === 0 ? none : bounded([...found], found.size), has: (id) => found.has(id) };
  }
  const said = list.derived('call ids', pushCallIds, messages.length);
  const { ids, firsts, places } = distinct(said);
  const end = said.upTo(messages.length);
  let count = ids.length;
  // Those behind these messages are of other calls of the model.
  while (count > 0 && firsts[count - 1]! >= end) count--;
  return { ids: bounded(ids, count), has: (id) => (places.get(id) ?? count) < count };
}

function bounded(ids: readonly string[], count: number): readonly string[] {
  const max = limits.sessionKeysPerCallMax;
  return count <= max ? ids.slice(0, count) : [ids[0]!, ...ids.slice(count - max + 1, count)];
}

/** Ids of a list, each once. */
interface Distinct {
  readonly ids: string[];
  /** Where each of them stands first in what was said. */
  readonly firsts: number[];
  readonly places: Map<string, number>;
  looked: number;
}

function distinct(said: Grown<string>): Distinct {
  said.note ??= { ids: [], firsts: [], places: new Map(), looked: 0 } satisfies Distinct;
  const all = said.note as Distinct;
  const before = all.ids.length;
  for (; all.looked < said.items.length; all.looked++) {
    const id = said.items[all.looked]!;
    if (all.places.has(id)) continue;
    all.places.set(id, all.ids.length);
    all.ids.push(id);
    all.firsts.push(all.looked);
  }
  if (all.ids.length > before) said.weigh((all.ids.length - before) * idBytes);
  return all;
}

/** In two lists and a map. */
const idBytes = 80;

function addCallIds({ parts }: Message, into: { add(id: string): unknown }): void {
  for (const part of parts) {
    if ((part.kind === 'tool_call' || part.kind === 'tool_result') && idOf(part.id) !== '') into.add(part.id);
  }
}

function pushCallIds(message: Message, into: string[]): number {
  addCallIds(message, { add: (id) => into.push(id) });
  return 0;
}

function idOf(value: Value | undefined): string {
  return typeof value === 'string' && value.length >= idCharsMin && value.length <= idCharsMax ? value : '';
}
