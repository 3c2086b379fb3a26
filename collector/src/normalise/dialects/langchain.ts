import type { Value } from '../../model/value.ts';
import { isMap, member, parsedOrCut } from '../json-value.ts';

/**
 * LangChain's message of a tool as its callbacks give it, serialised or as a map, bare or as `{ output }`: content, name, `tool_call_id`.
 * Undefined for everything else.
 */
export function toolMessage(value: Value | undefined): Value | undefined {
  const given = parsedOrCut(value);
  const message = member(given, 'output') ?? given;
  const inner = member(message, 'kwargs') ?? member(message, 'data') ?? message;
  return isMap(inner) && member(inner, 'tool_call_id') !== undefined ? inner : undefined;
}

/** What the tool gave: a message of a tool by its content, everything else as it is. */
export function toolContent(value: Value): Value {
  return member(toolMessage(value), 'content') ?? value;
}
