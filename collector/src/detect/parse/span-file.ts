import type { Report } from '../report.ts';
import { entryOf, readYaml, type YamlMap, type YamlNode } from '../yaml.ts';
import { parseLoneSpan, spanKeys, type TestSpan } from './test-file.ts';

/** A span with the name of the case it stands in, '' outside of cases. */
export interface NamedSpan {
  readonly caseName: string;
  readonly span: TestSpan;
}

/** Spans as rule tests write them: a span, a list of spans, a case, or a whole test file. */
export function parseSpanFile(file: string, text: string, report: Report): NamedSpan[] {
  return readYaml(file, text, report, 'SW_RULE_TEST').flatMap((document) => spansOf(document, '', report));
}

function spansOf(node: YamlNode, caseName: string, report: Report): NamedSpan[] {
  if (node.kind === 'list') return node.items.flatMap((item) => spansOf(item, caseName, report));
  if (node.kind === 'map') {
    const lists = ['matches', 'near_misses']
      .map((key) => entryOf(node, key)?.value)
      .filter((list) => list !== undefined);
    if (lists.length > 0) return lists.flatMap((list) => spansOf(list, caseName, report));
    const name = entryOf(node, 'case')?.value;
    if (name?.kind === 'scalar') return spansOfCase(node, String(name.value), report);
  }
  const span = parseLoneSpan(node, report);
  return span ? [{ caseName, span }] : [];
}

/** What a case says beside its spans is for the test runner. */
function spansOfCase(node: YamlMap, caseName: string, report: Report): NamedSpan[] {
  const list = entryOf(node, 'spans')?.value;
  if (list) return spansOf(list, caseName, report);
  const span = parseLoneSpan({ ...node, entries: node.entries.filter(({ key }) => spanKeys.includes(key)) }, report);
  return span ? [{ caseName, span }] : [];
}
