import type { GrownList } from '../model/grown-list.ts';
import { limits } from '../model/limits.ts';
import type { AnsweredCall, MessageCalls, ToolCall } from '../model/tool-call.ts';
import { type CallPart, callFinder, callsIn } from './known-calls.ts';
import { type Message, newMessages, type Part } from './messages.ts';

type ResultPart = Part & { readonly kind: 'tool_result' };

/**
 * The tool calls that the messages of a model call tell of: those that its answer asks for, and those whose results are new in it,
 * with the calls they answer as far as the messages hold them. Undefined when there are none, as in most.
 * @param isWhole whether the answer is all there, or was cut off; asked only where it has calls
 * @param list one that begins with the messages of `input`
 */
export function messageCalls(
  input: readonly Message[],
  output: readonly Message[],
  isWhole: (name: 'gen_ai.output.messages') => boolean,
  list?: GrownList<Message>,
): MessageCalls | undefined {
  const asked = callsIn(output).slice(0, limits.messageCallsMax);
  // Tools that the provider runs itself have their results in the answer.
  const results = [...resultsIn(newMessages(input)), ...resultsIn(output)].slice(0, limits.messageCallsMax);
  if (asked.length === 0 && results.length === 0) return undefined;
  const isAll = asked.length > 0 && isWhole('gen_ai.output.messages');
  const proposed = asked.map((call): ToolCall => callOf(call, isAll));
  return { proposed, answered: results.length === 0 ? [] : answeredCalls(results, input, asked, list) };
}

function answeredCalls(
  results: readonly ResultPart[],
  input: readonly Message[],
  asked: readonly CallPart[],
  list: GrownList<Message> | undefined,
): AnsweredCall[] {
  const ofInput = callFinder(input, list);
  const ofAnswer = asked.length === 0 ? undefined : new Map(asked.map((call) => [call.id, call]));
  const find = (id: string): CallPart | undefined => ofAnswer?.get(id) ?? ofInput(id);
  /** Asked for only where a result says no id, or one of no call. */
  let open: CallPart[] | undefined;
  const turn = input.length;
  return results.map(({ id, name = '', result }): AnsweredCall => {
    // OpenAI's Responses have ids of items beside those of calls, and emitters mix them up.
    const named = find(id === '' ? noId : id);
    if (named === undefined) open ??= openCalls(results, input);
    const call = named ?? take(open ?? [], name);
    if (call !== undefined) return { ...callOf(call, true), ...(id !== '' && { id }), result, isAsked: true, turn };
    return { id, name, arguments: null, isWhole: false, result, isAsked: false, turn };
  });
}

/** The calls of the last turn that no result names: those without an id answer them, by name or in their order. */
function openCalls(results: readonly ResultPart[], input: readonly Message[]): CallPart[] {
  const answered = new Set(results.map(({ id }) => id));
  return callsIn(lastTurn(input)).filter(({ id }) => id === '' || !answered.has(id));
}

const noId = '\0';

function take(calls: CallPart[], name: string): CallPart | undefined {
  const at = name === '' ? 0 : calls.findIndex((call) => call.name === name);
  return at < 0 ? undefined : calls.splice(at, 1)[0];
}

function lastTurn(messages: readonly Message[]): readonly Message[] {
  const end = messages.findLastIndex(({ role }) => role === 'assistant');
  let start = end;
  while (start >= 0 && messages[start]!.role === 'assistant') start--;
  return messages.slice(start + 1, end + 1);
}

function callOf({ id, name, arguments: given }: CallPart, isWhole: boolean): ToolCall {
  // What is still a text with a bracket in front could not be read as JSON.
  return { id, name, arguments: given, isWhole: isWhole && !(typeof given === 'string' && /^\s*[[{]/.test(given)) };
}

function resultsIn(messages: readonly Message[]): ResultPart[] {
  const found: ResultPart[] = [];
  for (const { parts } of messages) for (const part of parts) if (part.kind === 'tool_result') found.push(part);
  return found;
}
