import { type Level, levels, severityId } from '../../model/severity.ts';
import { Role } from './roles.ts';
import type { Sighting } from './sighting.ts';

/** The level of a case and, when it is above that of its findings, why. */
export interface CaseSeverity {
  readonly level: Level;
  readonly raisedBy: string;
}

type Step = Pick<Sighting, 'level' | 'roles' | 'timeNanos' | 'ruleId' | 'ruleTitle'>;

const combinations = [
  { first: Role.injection, later: Role.egress | Role.action, text: 'acted on after it was read' },
  { first: Role.access, later: Role.egress, text: 'reached for and then sent out' },
] as const;

/**
 * The worst level of the findings, raised by what they are together. Two findings of different rules, both at least
 * medium, the first of them not later: an injection and then an action or something that leaves, or access to secrets and
 * then something that leaves, are high, and critical when one of them is high. Three different rules of at least medium
 * are high.
 */
export function severityOf(steps: readonly Step[]): CaseSeverity {
  const worst = steps.reduce((most, { level }) => Math.max(most, severityId(level)), 1);
  let raised = { to: worst, by: '' };
  const raise = (to: number, by: string): void => {
    if (to > raised.to) raised = { to, by };
  };
  const strong = steps.filter(({ level }) => severityId(level) >= medium);
  for (const { first, later, text } of combinations) {
    const pair = pairOf(strong, first, later);
    if (!pair) continue;
    const { source, sink, isHigh } = pair;
    raise(severityId(isHigh ? 'critical' : 'high'), `${source.ruleTitle} → ${sink.ruleTitle}: ${text}`);
  }
  const rules = new Set(strong.map(({ ruleId }) => ruleId));
  if (rules.size >= 3) raise(severityId('high'), `${rules.size} rules of at least medium agree`);
  return { level: levels[raised.to - 1]!, raisedBy: raised.by };
}

const medium = severityId('medium');

/** The worst later step that has an earlier one, by level and then by time, so that arrival never decides. */
function pairOf(steps: readonly Step[], first: number, later: number): Pair | undefined {
  const before = steps.filter(({ roles }) => (roles & first) !== 0);
  let best: Pair | undefined;
  for (const sink of steps.filter(({ roles }) => (roles & later) !== 0).sort(worstFirst)) {
    const sources = before.filter(({ ruleId, timeNanos }) => ruleId !== sink.ruleId && timeNanos <= sink.timeNanos);
    if (sources.length === 0) continue;
    // What only tells of the first step says it best.
    const sorted = sources.sort((a, b) => Number(a.roles !== first) - Number(b.roles !== first) || worstFirst(a, b));
    const isHigh = [sink, ...sources].some(({ level }) => severityId(level) >= severityId('high'));
    if (isHigh) return { source: sorted[0]!, sink, isHigh };
    best ??= { source: sorted[0]!, sink, isHigh };
  }
  return best;
}

interface Pair {
  readonly source: Step;
  readonly sink: Step;
  /** The sink or one of what came before it is at least high. */
  readonly isHigh: boolean;
}

function worstFirst(a: Step, b: Step): number {
  return (
    severityId(b.level) - severityId(a.level) ||
    (a.timeNanos < b.timeNanos ? -1 : a.timeNanos > b.timeNanos ? 1 : a.ruleId < b.ruleId ? -1 : 1)
  );
}
