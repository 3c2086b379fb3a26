import { type Correlation, isCorrelation } from '../detect/correlate/correlation.ts';
import type { LoadedRules, Rule } from '../detect/load.ts';
import { missingFields } from '../detect/rule-fields.ts';
import type { Level } from '../model/severity.ts';
import { Category } from '../model/span-events.ts';
import { sourcesOf } from '../normalise/derivations.ts';
import type { RuleActivity, RuleFindings, StoredRuleState } from '../store/rule-health-reader.ts';

/** Everything that is known about rules: what they did, what was said about it, and what arrived. */
export interface StatusFacts {
  readonly activity: readonly RuleActivity[];
  readonly findings: readonly RuleFindings[];
  readonly dispositions: readonly {
    readonly ruleId: string;
    readonly disposition: string;
    readonly findings: number;
  }[];
  readonly states: readonly StoredRuleState[];
  readonly arrived: readonly { readonly category: string; readonly field: string }[];
  /** Attributes that stand on stored spans, whatever `arrived` says. */
  readonly stored: ReadonlySet<string>;
}

/** What somebody should know about a rule first; in the order of how much it wants attention. */
export const verdicts = [
  'disabled',
  'failing',
  'mostly-false',
  'cannot-fire',
  'no-spans',
  'not-running',
  'fires',
  'quiet',
] as const;

export interface RuleStatus {
  readonly id: string;
  readonly name: string;
  readonly title: string;
  readonly level: Level;
  readonly kind: string;
  readonly verdict: (typeof verdicts)[number];
  /** The verdict as a sentence. */
  readonly says: string;
  /** Undefined for correlations, which see matches and no spans. */
  readonly spans?: number;
  readonly candidates?: number;
  readonly matches?: number;
  readonly findings: number;
  readonly suppressed: number;
  readonly errors: number;
  /** Event time of the newest match or finding, ISO 8601; '' when there is none. */
  readonly lastFired: string;
  /** Its own time on a span, in microseconds; undefined before anything was timed. */
  readonly costMicros?: number;
  readonly agents: readonly { readonly agent: string; readonly findings: number }[];
  readonly falsePositives: number;
  readonly truePositives: number;
  readonly benign: number;
}

/** How all rules stand, those that want attention first. What stands under their former ids is theirs. */
export function statusOf({ rules, correlations }: LoadedRules, facts: StatusFacts): RuleStatus[] {
  const all = [...rules, ...correlations].map((rule) => statusOfRule(rule, facts));
  return all.sort(
    (a, b) =>
      verdicts.indexOf(a.verdict) - verdicts.indexOf(b.verdict) ||
      b.findings - a.findings ||
      (a.title < b.title ? -1 : 1),
  );
}

/** The attributes whose arrival would let rules fire that cannot now, as far as `arrived` tells. */
export function doubtedAttributes({ rules, correlations }: LoadedRules, arrived: StatusFacts['arrived']): string[] {
  const arrives = arrivals({ arrived, stored: new Set() });
  const fields = [...rules, ...correlations].flatMap((rule) => missingFields(rule, arrives));
  return [...new Set(fields.flatMap((field) => sourcesOf(field) ?? []))];
}

/** The newest thing that happened to the rule set as a whole, when it was a refusal. */
export function refusalIn(states: readonly StoredRuleState[]): StoredRuleState | undefined {
  return states.find(({ ruleId, state }) => ruleId === '' && state === 'set_refused');
}

function statusOfRule(rule: Rule | Correlation, facts: StatusFacts): RuleStatus {
  const { id, name, title, level, formerIds } = rule.meta;
  const ids = new Set([id, ...formerIds]);
  const mine = <T extends { readonly ruleId: string }>(rows: readonly T[]): T[] =>
    rows.filter(({ ruleId }) => ids.has(ruleId));
  const activity = mine(facts.activity);
  const total = (key: Exclude<keyof RuleActivity, 'ruleId' | 'lastMatch'>): number =>
    activity.reduce((sum, row) => sum + row[key], 0);
  const found = mine(facts.findings);
  const marked = (disposition: string): number =>
    mine(facts.dispositions)
      .filter((row) => row.disposition === disposition)
      .reduce((sum, row) => sum + row.findings, 0);
  const correlation = isCorrelation(rule);
  const samples = total('sampledSpans');
  const counts = {
    findings: found.reduce((sum, { findings }) => sum + findings, 0),
    suppressed: total('suppressed'),
    errors: total('errors'),
    falsePositives: marked('false-positive'),
    truePositives: marked('true-positive'),
    benign: marked('benign'),
  };
  const asked = { spans: total('spans'), candidates: total('candidates'), matches: total('matches') };
  const status = {
    ...{ id, name, title, level, kind: correlation ? rule.syntax.type : 'rule' },
    ...(correlation ? {} : asked),
    ...counts,
    lastFired: [...activity.map(({ lastMatch }) => lastMatch), ...found.map(({ last }) => last)].sort().at(-1) ?? '',
    ...(samples > 0 && { costMicros: total('sampledNanos') / samples / 1000 }),
    agents: agentsOf(found),
  };
  return { ...status, ...verdictOf(rule, { ...counts, ...asked }, facts) };
}

/** Under several ids an agent counts once. */
function agentsOf(found: readonly RuleFindings[]): RuleStatus['agents'] {
  const agents = new Map<string, number>();
  for (const { agent, findings } of found) agents.set(agent, (agents.get(agent) ?? 0) + findings);
  return [...agents].map(([agent, findings]) => ({ agent, findings })).sort((a, b) => b.findings - a.findings);
}

type Verdict = Pick<RuleStatus, 'verdict' | 'says'>;

interface Counts {
  readonly spans: number;
  readonly matches: number;
  readonly findings: number;
  readonly errors: number;
  readonly falsePositives: number;
  readonly truePositives: number;
  readonly benign: number;
}

function verdictOf(rule: Rule | Correlation, counts: Counts, facts: StatusFacts): Verdict {
  const disabled = disabledIn(rule, facts.states);
  if (disabled) return { verdict: 'disabled', says: `disabled: ${disabled}` };
  if (counts.errors > 0) return { verdict: 'failing', says: `threw on ${counts.errors} spans` };
  const marked = counts.falsePositives + counts.truePositives + counts.benign;
  if (counts.falsePositives > 0 && counts.falsePositives * 2 >= marked) {
    return { verdict: 'mostly-false', says: `${counts.falsePositives} of ${marked} marked findings were wrong` };
  }
  if (counts.findings > 0 || counts.matches > 0) return { verdict: 'fires', says: 'fires' };
  return silenceOf(rule, counts.spans, facts);
}

/** Why a rule that has found nothing has found nothing. */
function silenceOf(rule: Rule | Correlation, spans: number, facts: StatusFacts): Verdict {
  const { meta } = rule;
  if (!isCorrelation(rule) && rule.categories === 0) {
    return { verdict: 'not-running', says: 'never runs: its logsource is another product’s' };
  }
  const missing = missingFields(rule, arrivals(facts));
  if (!isCorrelation(rule) && spans === 0) {
    const knownState = facts.states.find(({ ruleId }) => ruleId === meta.id);
    if (knownState?.state !== 'active') {
      return {
        verdict: 'not-running',
        says: 'not loaded by the collector: is it in detect.rules, or was the reload refused?',
      };
    }
    return { verdict: 'no-spans', says: 'never: no span of its logsource' };
  }
  if (missing.length > 0) {
    const verb = missing.length === 1 ? 'field' : 'fields';
    const names = missing.slice(0, 4).join(', ') + (missing.length > 4 ? ', …' : '');
    const has = missing.length === 1 ? 'has' : 'have';
    return { verdict: 'cannot-fire', says: `cannot fire: ${verb} ${names} ${has} never been seen` };
  }
  return { verdict: 'quiet', says: isCorrelation(rule) ? 'quiet' : `quiet: no match in ${spans} spans` };
}

/** Why a rule, or one that a correlation waits for, is disabled. */
function disabledIn(rule: Rule | Correlation, states: readonly StoredRuleState[]): string | undefined {
  const own = states.find(({ ruleId, state }) => ruleId === rule.meta.id && state === 'disabled');
  if (own) return own.reason;
  if (!isCorrelation(rule)) return undefined;
  for (const { source, name } of rule.members) {
    const reason = disabledIn(source, states);
    if (reason) return `it waits for ${name}, which is: ${reason}`;
  }
  return undefined;
}

/** Whether a field can have a value in spans of these categories, by the attributes it comes from. */
function arrivals({
  arrived,
  stored,
}: Pick<StatusFacts, 'arrived' | 'stored'>): (field: string, categories: number) => boolean {
  const seen = new Set(arrived.map(({ category, field }) => `${category}\0${field}`));
  return (field, categories) => {
    const sources = sourcesOf(field);
    if (sources === undefined) return true;
    // A parent may be of any category.
    const anywhere = /^(?:parent|root|ancestor)\./.test(field);
    const wanted = Object.entries(Category).filter(([, bit]) => anywhere || (categories & bit) !== 0);
    return sources.some(
      (name) =>
        stored.has(name) ||
        seen.has(`resource\0${name}`) ||
        wanted.some(([category]) => seen.has(`${category}\0${name}`)),
    );
  };
}
