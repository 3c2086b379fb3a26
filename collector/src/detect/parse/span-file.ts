import type { Report } from '../report.ts';
import { entryOf, readYaml, type YamlMap, type YamlNode } from '../yaml.ts';
import { parseLoneSpan, spanKeys, type TestSpan } from './test-file.ts';
import { parentsOf } from './test-parents.ts';

/** A span with the name of the case it stands in, '' outside of cases. */
export interface NamedSpan {
  readonly caseName: string;
  readonly span: TestSpan;
}

/** A span whose parent is a number within its list; `place` is its own. */
interface PlacedSpan extends NamedSpan {
  readonly place: number;
}

/** Spans as rule tests write them: a span, a list of spans, a case, or a whole test file. */
export function parseSpanFile(file: string, text: string, report: Report): NamedSpan[] {
  const placed = readYaml(file, text, report, 'SW_RULE_TEST').flatMap((document) => spansOf(document, '', report));
  return placed.map(({ caseName, place, span }, index) => {
    const { parent } = span;
    return { caseName, span: parent === undefined ? span : { ...span, parent: index + 1 - place + parent } };
  });
}

function spansOf(node: YamlNode, caseName: string, report: Report): PlacedSpan[] {
  if (node.kind === 'list') {
    const cases = node.items.some((item) => item.kind === 'map' && entryOf(item, 'case'));
    return cases ? node.items.flatMap((item) => spansOf(item, caseName, report)) : listed(node.items, caseName, report);
  }
  if (node.kind === 'map') {
    const lists = ['matches', 'near_misses']
      .map((key) => entryOf(node, key)?.value)
      .filter((list) => list !== undefined);
    if (lists.length > 0) return lists.flatMap((list) => spansOf(list, caseName, report));
    const name = entryOf(node, 'case')?.value;
    if (name?.kind === 'scalar') return spansOfCase(node, String(name.value), report);
  }
  return listed([node], caseName, report);
}

/** What a case says beside its spans is for the test runner. */
function spansOfCase(node: YamlMap, caseName: string, report: Report): PlacedSpan[] {
  const list = entryOf(node, 'spans')?.value;
  if (list) return spansOf(list, caseName, report);
  return listed([{ ...node, entries: node.entries.filter(({ key }) => spanKeys.includes(key)) }], caseName, report);
}

function listed(nodes: readonly YamlNode[], caseName: string, report: Report): PlacedSpan[] {
  const parents = parentsOf(nodes, report);
  return nodes.flatMap((node, index): PlacedSpan[] => {
    const span = parseLoneSpan(node, report, parents[index]);
    return span ? [{ caseName, place: index + 1, span }] : [];
  });
}
