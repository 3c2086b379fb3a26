import { Category } from '../../../model/span-events.ts';
import { isList, type Value } from '../../../model/value.ts';
import { parsedValue } from '../../json-value.ts';
import type { Received } from './sent-span.ts';

/** What a span says in canonical terms: the part that every dialect should be able to say. Absent fields are left out. */
export type CanonicalView = Readonly<Record<string, Value>>;

/** Fields of the view; those in `parsed` are compared as data, because JSON may be written in many ways. */
const shown = [
  'gen_ai.operation.name',
  'gen_ai.provider.name',
  'gen_ai.request.model',
  'gen_ai.conversation.id',
  'gen_ai.agent.name',
  'gen_ai.tool.name',
  'gen_ai.tool.call.id',
  'gen_ai.usage.input_tokens',
  'gen_ai.usage.output_tokens',
  'gen_ai.retrieval.query.text',
  'spanwarden.text.system',
  'spanwarden.text.user',
  'spanwarden.text.tool_result',
  'spanwarden.text.output',
  'spanwarden.text.retrieved',
  'spanwarden.proposed.tool_names',
  'spanwarden.tool.definition_hashes',
  'message.assistant.tool_call.arguments',
  'message.tool.name',
] as const;
const parsed = ['gen_ai.tool.call.arguments', 'gen_ai.response.finish_reasons'] as const;

export function canonicalView(received: Received, span: number): CanonicalView {
  const view: Record<string, Value> = {};
  const bits = received.events.categories(span);
  view.category = Object.entries(Category).flatMap(([name, bit]) => ((bits & bit) === 0 ? [] : [name]));
  for (const name of shown) {
    const value = received.value(span, name);
    if (value !== undefined) view[name] = value;
  }
  for (const name of parsed) {
    const value = parsedValue(received.value(span, name));
    if (value !== undefined) view[name] = plain(value);
  }
  return view;
}

/** Maps with the usual prototype, so that comparing looks at members only. */
function plain(value: Value): Value {
  if (value === null || typeof value !== 'object') return value;
  if (isList(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}
