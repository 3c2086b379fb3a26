import { existsSync } from 'node:fs';
import { withSources } from '../backtest/rule-choice.ts';
import type { DetectConfig } from '../detect/config.ts';
import { loadRules as loadRuleSources, type RuleSet } from '../detect/load.ts';
import { didYouMean } from '../detect/report.ts';
import { SpanwardenError } from '../model/errors.ts';
import { loadRules, readRuleInput } from './load-rules.ts';

export interface ChosenRules {
  readonly rules: RuleSet;
  /** The rules of the config, which the collector runs. */
  readonly installed: RuleSet;
}

/**
 * The rules that an argument names: those of a file or folder, or of the config's the one with an id or name, with what it
 * uses. Throws a SpanwardenError when there is none or when rules are wrong.
 */
export function chooseRules(argument: string, detect: DetectConfig, written: readonly string[] = []): ChosenRules {
  const installed = loadRules(detect);
  if (existsSync(argument)) {
    const input = readRuleInput([argument], detect, written);
    const rules = loadRuleSources(input.rules, input);
    if (rules.rules.length > 0) return { rules, installed };
    throw new SpanwardenError({
      code: 'SW_RULE_FILE',
      message: `${argument} holds no rule`,
      advice: 'Name a rule file or a folder with rules.',
    });
  }
  const rules = withSources(installed, ({ meta }) => meta.id === argument || meta.name === argument);
  if (rules.rules.length > 0) return { rules, installed };
  const names = [...installed.rules, ...installed.correlations].flatMap(({ meta }) => [meta.name, meta.id]);
  const near = didYouMean(argument, names);
  throw new SpanwardenError({
    code: 'SW_RULE_VALUE',
    message: `${argument} is no file or folder, and no rule has it as its id or name`,
    advice: near === undefined ? 'spanwarden rules list shows the rules.' : `Do you mean ${near}?`,
  });
}
