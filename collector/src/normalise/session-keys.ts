import type { SessionKeys } from '../model/session.ts';
import { Category } from '../model/span-events.ts';
import { type Value, valueText } from '../model/value.ts';
import { operationCategories } from './categories.ts';
import { messageHashes } from './message-hash.ts';
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
  const given = new Set<string>();
  const made = new Set<string>();
  addCallIds(input, given);
  addCallIds(output, made);
  for (const id of own) (isTool ? given : made).add(id);
  const previousResponse = idOf(read('gen_ai.request.previous_response.id'));
  const response = idOf(read('gen_ai.response.id'));
  // Ids tell more than texts, which many conversations begin with.
  const byText = given.size === 0 && previousResponse === '' && input.length > 0;
  const hashes = byText ? messageHashes([...input, ...output]).prefixes : none;
  const prefixes = byText ? hashes.filter((_, index) => input[index]?.role === 'assistant') : none;
  const whole = made.size === 0 && output.length > 0 ? (hashes.at(-1) ?? '') : '';
  const isTold = isTool && read('spanwarden.tool_call.told_by') !== undefined;
  const ids = given.size + made.size + prefixes.length;
  if (ids === 0 && !isTold && previousResponse === '' && response === '' && whole === '') return undefined;
  const madeCalls = [...made].filter((id) => !given.has(id));
  return { previousResponse, response, isTold, givenCalls: [...given], madeCalls, prefixes, whole };
}

const none: readonly string[] = [];

/** OpenLIT writes all calls that a model made on its span, as one text. */
function ownCalls(value: Value | undefined): readonly string[] {
  return typeof value === 'string' ? value.split(', ').filter((id) => idOf(id) !== '') : none;
}

/** Calls and results alike: a request may bring only the result of a call that the provider remembers. */
function addCallIds(messages: readonly Message[], ids: Set<string>): void {
  for (const { parts } of messages) {
    for (const part of parts) {
      if ((part.kind === 'tool_call' || part.kind === 'tool_result') && idOf(part.id) !== '') ids.add(part.id);
    }
  }
}

function idOf(value: Value | undefined): string {
  return typeof value === 'string' && value.length >= idCharsMin && value.length <= idCharsMax ? value : '';
}
