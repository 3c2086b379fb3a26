import { limits } from '../../model/limits.ts';
import { ancestryField } from '../ancestry/fields.ts';
import type { Report } from '../report.ts';
import type { FoldField } from '../rule.ts';
import { entryOf, type YamlMap } from '../yaml.ts';

/** `fold-by` of a detection rule: the fields in which repeats of a match agree. Undefined when the rule does not say. */
export function parseFoldBy(map: YamlMap, report: Report): readonly FoldField[] | undefined {
  const node = entryOf(map, 'fold-by')?.value;
  if (!node) return undefined;
  if (entryOf(map, 'correlation') || entryOf(map, 'filter')) {
    const message = '`fold-by` belongs to detection rules: correlations count by `group-by`, filters find nothing';
    report.error('SW_RULE_KEY', node.at, message, 'Remove `fold-by`.');
    return undefined;
  }
  const items = node.kind === 'list' ? node.items : [node];
  if (items.length === 0 || items.length > limits.foldFieldsMax) {
    report.error('SW_RULE_VALUE', node.at, `\`fold-by\` takes 1 to ${limits.foldFieldsMax} fields`, example);
    return undefined;
  }
  const fields = items.flatMap((item): FoldField[] => {
    const name = item.kind === 'scalar' && typeof item.value === 'string' ? item.value : '';
    if (name === '' || name.length > 256 || /[|\s]/.test(name)) {
      report.error('SW_RULE_VALUE', item.at, '`fold-by` takes names of fields, without modifiers', example);
      return [];
    }
    if (ancestryField(name)) {
      const message = `\`fold-by\` cannot take \`${name}\`, which belongs to another span`;
      report.error('SW_RULE_FIELD', item.at, message, 'Name a field of the span itself.');
      return [];
    }
    return [{ name, at: item.at }];
  });
  const twice = fields.find(({ name }, index) => fields.findIndex((other) => other.name === name) < index);
  if (twice) {
    report.error('SW_RULE_VALUE', twice.at, `\`${twice.name}\` stands in \`fold-by\` twice`, 'Name it once.');
  }
  return fields;
}

const example = 'For example: fold-by: [gen_ai.agent.name, user.id].';
