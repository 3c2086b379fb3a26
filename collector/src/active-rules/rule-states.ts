import type { LoadedRules } from '../detect/load.ts';
import { problemText, type SpanwardenError } from '../model/errors.ts';
import type { RuleState, RuleStateName } from '../model/rule-health.ts';

/** Characters of reasons that are kept: every error of a broken set, within reason. */
const reasonCharsMax = 16_384;

/** What changes for each rule when one set takes the place of another. */
export function statesOfChange(before: LoadedRules | undefined, after: LoadedRules): RuleState[] {
  const current = metasOf(after);
  const kept = new Set(current.map(({ id }) => id));
  const gone = before === undefined ? [] : metasOf(before).filter(({ id }) => !kept.has(id));
  return [
    ...current.map((meta) => stateOf(meta, 'active', '')),
    ...gone.map((meta) => stateOf(meta, 'removed', '')),
    setState('set_loaded', ''),
  ];
}

/** A set that was not taken over, with everything that is wrong in it. */
export function stateOfRefusal(error: SpanwardenError): RuleState {
  return setState('set_refused', error.problems.map(problemText).join('\n').slice(0, reasonCharsMax));
}

/** A rule of the set that was disabled. */
export function stateOfDisabled(set: LoadedRules, ruleId: string, reason: string): RuleState | undefined {
  const meta = metasOf(set).find(({ id }) => id === ruleId);
  return meta && stateOf(meta, 'disabled', reason);
}

type Meta = LoadedRules['rules'][number]['meta'];

function metasOf({ rules, correlations }: LoadedRules): readonly Meta[] {
  return [...rules, ...correlations].map(({ meta }) => meta);
}

function stateOf(meta: Meta, state: RuleStateName, reason: string): RuleState {
  const { id, name, title, version, formerIds, level } = meta;
  return { ruleId: id, ruleName: name, ruleTitle: title, ruleVersion: version, formerIds, level, state, reason };
}

/** The set as a whole goes under no rule's id. */
function setState(state: RuleStateName, reason: string): RuleState {
  return { ruleId: '', ruleName: '', ruleTitle: '', ruleVersion: '', formerIds: [], level: '', state, reason };
}
