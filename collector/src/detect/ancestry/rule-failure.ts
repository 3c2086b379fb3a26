import type { Rule } from '../load.ts';

/** A rule threw: it costs the match, nothing else. */
export type RuleFailure = (rule: Rule, error: unknown) => void;

/** What `work` gives; undefined when it threw and somebody hears of that. */
export function guarded<T>(rule: Rule, onFailed: RuleFailure | undefined, work: () => T): T | undefined {
  if (!onFailed) return work();
  try {
    return work();
  } catch (error) {
    onFailed(rule, error);
    return undefined;
  }
}
