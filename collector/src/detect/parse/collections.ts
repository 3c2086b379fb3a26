import type { Report } from '../report.ts';
import { entryOf, type YamlMap, type YamlNode } from '../yaml.ts';

/**
 * Resolves `action:` over the documents of one file: `global` is a template for what follows, `reset` drops it, `repeat`
 * merges its document over the previous one. Maps merge deeply, lists and scalars are replaced.
 */
export function resolveCollections(documents: readonly YamlNode[], report: Report): YamlMap[] {
  const rules: YamlMap[] = [];
  let template: YamlMap | undefined;
  let previous: YamlMap | undefined;
  for (const document of documents) {
    if (document.kind !== 'map') {
      report.error('SW_RULE_YAML', document.at, 'a rule is a map', 'Start it with `title:`.');
      continue;
    }
    const action = entryOf(document, 'action');
    const body = { ...document, entries: document.entries.filter((entry) => entry !== action) };
    const name = action?.value.kind === 'scalar' ? action.value.value : undefined;
    if (action && name === 'global') template = template ? merge(template, body) : body;
    else if (action && name === 'reset') template = undefined;
    else if (action && (name !== 'repeat' || !previous)) {
      const message = name === 'repeat' ? '`action: repeat` needs a rule before it' : 'unknown `action`';
      report.error('SW_RULE_KEY', action.keyAt, message, 'Write global, reset or repeat.');
    } else {
      const isRule = entryOf(body, 'correlation') === undefined && entryOf(body, 'filter') === undefined;
      const base = action ? previous : isRule ? template : undefined;
      const merged = base ? merge(base, body) : body;
      rules.push(merged);
      if (isRule) previous = merged;
    }
  }
  return rules;
}

function merge(base: YamlMap, over: YamlMap): YamlMap {
  const kept = base.entries.filter((entry) => entryOf(over, entry.key) === undefined);
  const added = over.entries.map((entry) => {
    const below = entryOf(base, entry.key)?.value;
    return below?.kind === 'map' && entry.value.kind === 'map' ? { ...entry, value: merge(below, entry.value) } : entry;
  });
  const isBroken = base.isBroken ?? over.isBroken;
  return { kind: 'map', entries: [...kept, ...added], at: over.at, ...(isBroken && { isBroken }) };
}
