import type { SessionKeys } from '../model/session.ts';
import type { Value } from '../model/value.ts';
import { messageHashes } from './message-hash.ts';
import type { Message } from './messages.ts';
import type { SpanFacts } from './span-facts.ts';

/** Shorter ids are counters and names: many calls have the same. */
const idCharsMin = 8;
/** Longer ones are no ids. */
const idCharsMax = 256;

/** What ties the span to the calls before and after it; undefined when it shows nothing of the kind. */
export function sessionKeys(facts: SpanFacts, read: (name: string) => Value | undefined): SessionKeys | undefined {
  const { input, output } = facts.conversation;
  const isTool = read('gen_ai.operation.name') === 'execute_tool';
  const own = ownCalls(read('gen_ai.tool.call.id'));
  const given = new Set([...callIds(input), ...(isTool ? own : [])]);
  const made = new Set([...callIds(output), ...(isTool ? [] : own)]);
  const previousResponse = idOf(read('gen_ai.request.previous_response.id'));
  // Ids tell more than texts, which many conversations begin with.
  const byText = given.size === 0 && previousResponse === '';
  const hashes = byText && input.length > 0 ? messageHashes([...input, ...output]).prefixes : [];
  const keys: SessionKeys = {
    previousResponse,
    response: idOf(read('gen_ai.response.id')),
    givenCalls: [...given],
    madeCalls: [...made].filter((id) => !given.has(id)),
    prefixes: hashes.filter((_, index) => input[index]?.role === 'assistant'),
    whole: made.size === 0 && output.length > 0 ? (hashes.at(-1) ?? '') : '',
  };
  const isEmpty =
    keys.previousResponse === '' &&
    keys.response === '' &&
    keys.whole === '' &&
    keys.givenCalls.length + keys.madeCalls.length + keys.prefixes.length === 0;
  return isEmpty ? undefined : keys;
}

/** OpenLIT writes all calls that a model made on its span, as one text. */
function ownCalls(value: Value | undefined): string[] {
  return typeof value === 'string' ? idsOf(value.split(', ')) : [];
}

/** Calls and results alike: a request may bring only the result of a call that the provider remembers. */
function callIds(messages: readonly Message[]): string[] {
  return messages.flatMap(({ parts }) =>
    idsOf(parts.map((part) => (part.kind === 'tool_call' || part.kind === 'tool_result' ? part.id : undefined))),
  );
}

function idsOf(values: readonly (Value | undefined)[]): string[] {
  return values.map(idOf).filter((id) => id !== '');
}

function idOf(value: Value | undefined): string {
  return typeof value === 'string' && value.length >= idCharsMin && value.length <= idCharsMax ? value : '';
}
