import type { AgentEvent, NamedValue } from '../../model/agent-event.ts';
import type { Value } from '../../model/value.ts';

/** Lists that one record may begin and the next one go on with. */
const lists = new Set(['gen_ai.input.messages', 'gen_ai.output.messages']);

/**
 * What a span and the records about it say together: the span says first, records add what it does not have, in the order of their
 * time. Without a span the records alone.
 */
export function joinedEvent(span: AgentEvent | undefined, parts: readonly AgentEvent[]): AgentEvent {
  const ordered = [...parts].sort(byTime);
  const said = new Map<string, Value>();
  for (const { attributes } of ordered) {
    for (const [name, value] of attributes) said.set(name, combined(name, said.get(name), value));
  }
  const first = ordered[0]!;
  const last = ordered.at(-1)!;
  if (span === undefined) {
    return {
      ...last,
      startNanos: first.startNanos,
      name: ordered.length === 1 ? first.name : last.name,
      failed: ordered.some(({ failed }) => failed),
      attributes: [...said],
    };
  }
  const own = new Set(span.attributes.map(([name]) => name));
  const added = [...said].filter(([name]): boolean => !own.has(name));
  return { ...span, attributes: [...span.attributes, ...added] };
}

function combined(name: string, known: Value | undefined, value: Value): Value {
  if (known === undefined || !lists.has(name))
    return known !== undefined && name === 'gen_ai.operation.name' ? known : value;
  if (known === value) return known;
  return isJsonList(known) && isJsonList(value)
    ? `${known.trimEnd().slice(0, -1)},${value.trimStart().slice(1)}`
    : known;
}

function isJsonList(value: Value): value is string {
  return typeof value === 'string' && /^\s*\[\s*[^\]\s]/.test(value) && value.trimEnd().endsWith(']');
}

/** By time, then by place in the request: clocks are coarser than the order in which messages were told. */
function byTime(a: AgentEvent, b: AgentEvent): number {
  if (a.endNanos !== b.endNanos) return a.endNanos < b.endNanos ? -1 : 1;
  if (a.place !== b.place) return a.place - b.place;
  const [left, right] = [textOf(a.attributes), textOf(b.attributes)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function textOf(attributes: readonly NamedValue[]): string {
  return attributes.map(([name, value]) => `${name}=${typeof value === 'string' ? value : ''}`).join('\n');
}
