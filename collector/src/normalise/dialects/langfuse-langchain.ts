import { isList, type Value } from '../../model/value.ts';
import { isMap, member, parsedOrCut } from '../json-value.ts';
import type { SpanSource } from './dialect.ts';

/** The agent that LangChain says a run belongs to. */
export const agentName = 'langfuse.observation.metadata.lc_agent_name';

/**
 * What Langfuse's callbacks for LangChain send as mere spans: the run of an agent has the agent's name, and a search gives LangChain's documents.
 * https://github.com/langfuse/langfuse-js/blob/main/packages/langchain/src/CallbackHandler.ts
 */
export function isAgentRun(span: SpanSource): boolean {
  return span.attribute(agentName) === span.name && isPlain(span);
}

export function isSearch(span: SpanSource): boolean {
  if (!isPlain(span)) return false;
  const output = span.attribute('langfuse.observation.output');
  return typeof output === 'string' && output.startsWith('[{"pageContent":');
}

function isPlain(span: SpanSource): boolean {
  return span.attribute('langfuse.observation.type') === 'span';
}

/** Messages of tools have the name of the tool for a role, whatever it is, and are told by what they have besides. */
export function withToolRoles(value: Value): Value {
  if (typeof value !== 'string' || !value.includes('"additional_kwargs"')) return value;
  const given = parsedOrCut(value) ?? value;
  const held = member(given, 'messages') ?? null;
  if (isList(held)) return { ...(given as object), messages: held.map(withToolRole) };
  return isList(given) ? given.map(withToolRole) : value;
}

/** The output of a run of LangGraph is its state, with all that was said before; what the agent said is of the assistant. */
export function answers(value: Value): Value {
  const held = member(parsedOrCut(value), 'messages') ?? null;
  return isList(held) ? held.filter((message) => member(message, 'role') === 'assistant') : value;
}

function withToolRole(message: Value): Value {
  const more = member(message, 'additional_kwargs');
  if (!isMap(message) || !isMap(more)) return message;
  if (member(more, 'tool_calls') !== undefined || member(more, 'function_call') !== undefined) return message;
  return { ...message, role: 'tool', name: member(message, 'role') ?? '' };
}
