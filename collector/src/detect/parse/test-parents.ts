import type { Report } from '../report.ts';
import { entryOf, type YamlNode } from '../yaml.ts';

/**
 * The parent of each span of a case, as its number from 1: `parent: agent` names the span with `id: agent`. Undefined where
 * a span has none.
 */
export function parentsOf(nodes: readonly YamlNode[], report: Report): readonly (number | undefined)[] {
  const numbers = new Map<string, number>();
  for (const [index, node] of nodes.entries()) {
    const id = textOf(node, 'id', report);
    if (id === undefined) continue;
    if (numbers.has(id.text)) {
      report.error('SW_RULE_TEST', id.at, `two spans have the id \`${id.text}\``, 'Give each its own.');
    }
    numbers.set(id.text, index + 1);
  }
  return nodes.map((node) => {
    const parent = textOf(node, 'parent', report);
    if (parent === undefined) return undefined;
    const number = numbers.get(parent.text);
    if (number === undefined) {
      const message = `no span of the case has the id \`${parent.text}\``;
      report.error('SW_RULE_TEST', parent.at, message, 'Write `id:` on the span that is the parent.');
    }
    return number;
  });
}

/** Spans that stand above others are there for those: a match asks nothing of them. */
export function isAbove(spans: readonly { readonly parent?: number }[], index: number): boolean {
  return spans.some(({ parent }) => parent === index + 1);
}

function textOf(node: YamlNode, key: string, report: Report) {
  const entry = node.kind === 'map' ? entryOf(node, key) : undefined;
  if (!entry) return undefined;
  const { value, keyAt } = entry;
  if (value.kind === 'scalar' && value.value !== null && value.value !== '') {
    return { text: String(value.value), at: value.at };
  }
  report.error('SW_RULE_TEST', keyAt, `\`${key}\` takes a name`, 'For example: id: agent.');
  return undefined;
}
