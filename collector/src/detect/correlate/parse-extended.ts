import { limits } from '../../model/limits.ts';
import { namesIn, parseConditions } from '../parse/condition.ts';
import type { Report } from '../report.ts';
import type { YamlNode } from '../yaml.ts';
import type { CorrelationType, Named } from './correlation.ts';
import type { ExtendedCondition } from './extension.ts';
import { termsOf } from './kinds/terms.ts';

/** Whether a condition is a text of a type that has such conditions. */
export function isInWords(node: YamlNode, type: CorrelationType): boolean {
  const temporal = type === 'temporal' || type === 'temporal_ordered';
  return temporal && node.kind === 'scalar' && typeof node.value === 'string';
}

/**
 * A condition in words, `a and (b or c) and not d`. Undefined after an error. Every listed rule must occur in it, and nothing
 * else.
 * https://github.com/SigmaHQ/sigma-specification/issues/198
 */
export function parseExtended(node: YamlNode, rules: readonly Named[], report: Report): ExtendedCondition | undefined {
  const names = rules.map(({ name }) => name);
  const error = (message: string, advice: string): undefined => {
    report.error('SW_RULE_CONDITION', node.at, message, advice);
    return undefined;
  };
  if (new Set(names).size < names.length) {
    return error('a condition in words cannot tell a rule from itself', 'List each rule once.');
  }
  const [condition] = parseConditions(node, names, report);
  if (!condition) return undefined;
  const used = new Set(namesIn(condition.root));
  const unused = names.filter((name) => !used.has(name));
  if (unused.length > 0) {
    return error(`the condition says nothing of \`${unused.join('`, `')}\``, 'Use each listed rule, or list fewer.');
  }
  const terms = termsOf(condition.root, names);
  if (terms === 'too_many') {
    const message = `the condition has more than ${limits.correlationTermsMax} alternatives`;
    return error(message, 'Join rules that are linked by `or` into one detection rule.');
  }
  if (terms.length === 0) return error('nothing satisfies the condition', 'It asks for a rule and for its absence.');
  if (terms.some(({ wanted }) => wanted === 0)) {
    return error('the condition holds where no rule matched', 'Ask for at least one rule that must match.');
  }
  return { text: condition.text, terms };
}
