import { parseRuleFile } from '../parse/rule-file.ts';
import { Report } from '../report.ts';
import type { RuleSyntax } from '../rule.ts';
import type { CorrelationSyntax, Named } from './correlation.ts';

/** The file that messages name for rules which stand in none. */
export const builtInFile = '(built in)';

/** The name of the rule that finds the spans a flow reads: `flow_values`, with what it reads beyond plain values. */
export function valueRuleName(fields: readonly Named[]): string {
  const ways = ['decoded', 'words', 'ids'].filter((way) => fields.some(({ name }) => name.endsWith(`_${way}`)));
  return ['flow_values', ...ways].join('_');
}

/** The rules that find the spans with values, one for all flows that read the same. */
export function valueRules(correlations: readonly CorrelationSyntax[]): readonly RuleSyntax[] {
  const texts = new Map<string, string>();
  for (const { extension, fields } of correlations) {
    if (extension?.kind === 'flow') texts.set(valueRuleName(fields), ruleText(fields));
  }
  return [...texts.values()].flatMap((text) => [...parseRuleFile(builtInFile, text, new Report()).rules]);
}

function ruleText(fields: readonly Named[]): string {
  const selection = fields.map(({ name }) => `    - {${name}|exists: true}`);
  return [
    'title: Spans with values that flow rules follow',
    `name: ${valueRuleName(fields)}`,
    'level: informational',
    'description: The span brings in, clears or uses a value that identifies something.',
    'tags: [detection.threat-hunting]',
    'logsource: {product: ai_agent, category: any}',
    'detection:',
    '  values:',
    ...selection,
    '  condition: values',
  ].join('\n');
}
