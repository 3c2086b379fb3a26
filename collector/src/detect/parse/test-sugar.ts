import { isList, type Value } from '../../model/value.ts';
import type { Report } from '../report.ts';
import { entryOf, plainOf, type YamlEntry, type YamlMap, type YamlNode } from '../yaml.ts';

/** `tool: name` with `arguments` and `result` as the attributes of an execute_tool span. */
export function toolAttributes(span: Readonly<Record<string, Value>>): Record<string, Value> {
  return {
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': String(span.tool),
    ...(span.arguments !== undefined && { 'gen_ai.tool.call.arguments': asText(span.arguments) }),
    ...(span.result !== undefined && { 'gen_ai.tool.call.result': asText(span.result) }),
  };
}

/** The keys under `chat:`. */
export const chatKeys: readonly string[] = ['system', 'input', 'output', 'tools', 'model'];

/**
 * `chat:` as the attributes of a model call. `input` and `output` are lists of one-key maps, the key saying what it is:
 * `user`, `assistant` and `system` text, `call: {tool: arguments}`, `result: text`.
 */
export function chatAttributes(chat: YamlEntry, report: Report): Record<string, Value> {
  if (chat.value.kind !== 'map') {
    report.error('SW_RULE_TEST', chat.value.at, '`chat` takes a map', `Known: ${chatKeys.join(', ')}.`);
    return {};
  }
  const map = chat.value;
  for (const { key, keyAt } of map.entries) {
    if (!chatKeys.includes(key))
      report.error('SW_RULE_TEST', keyAt, `unknown key \`${key}\``, `Known: ${chatKeys.join(', ')}.`);
  }
  const system = entryOf(map, 'system')?.value;
  const tools = entryOf(map, 'tools')?.value;
  return {
    'gen_ai.operation.name': 'chat',
    'gen_ai.request.model': 'test-model',
    ...(system && { 'gen_ai.system_instructions': JSON.stringify([{ type: 'text', content: plainOf(system) }]) }),
    ...(tools && { 'gen_ai.tool.definitions': JSON.stringify(plainOf(tools)) }),
    ...messagesOf(map, 'input', 'gen_ai.input.messages', report),
    ...messagesOf(map, 'output', 'gen_ai.output.messages', report),
  };
}

function messagesOf(map: YamlMap, key: string, attribute: string, report: Report): Record<string, Value> {
  const node = entryOf(map, key)?.value;
  if (!node) return {};
  const items = node.kind === 'list' ? node.items : [node];
  return { [attribute]: JSON.stringify(items.map((item, index) => message(item, index, key, report))) };
}

/** Ids of calls and results only have to pair up; the position of the message does. */
function message(node: YamlNode, index: number, list: string, report: Report): object {
  const entry = node.kind === 'map' && node.entries.length === 1 ? node.entries[0] : undefined;
  const value = entry && plainOf(entry.value);
  if (entry && (entry.key === 'user' || entry.key === 'assistant' || entry.key === 'system')) {
    return { role: entry.key, parts: [{ type: 'text', content: value }] };
  }
  if (entry?.key === 'call' && typeof value === 'object' && value !== null && !isList(value)) {
    const parts = Object.entries(value).map(([name, args]) => ({
      type: 'tool_call',
      id: `call_${index}`,
      name,
      arguments: args,
    }));
    return { role: 'assistant', parts };
  }
  if (entry?.key === 'result') {
    return { role: 'tool', parts: [{ type: 'tool_call_response', id: `call_${index - 1}`, response: value }] };
  }
  const message = `an item of \`${list}\` is one of user, assistant, system, call and result`;
  report.error('SW_RULE_TEST', node.at, message, 'For example: - user: Where is my order?');
  return {};
}

function asText(value: Value): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
