import type { FieldTable } from '../model/fields.ts';
import type { SpanEvents } from '../model/span-events.ts';
import { createExplainer } from './explain.ts';
import type { Explanation } from './explanation.ts';
import type { Rule } from './load.ts';

/** What the tests of a rule have seen of its selections and items. */
export interface RuleCoverage {
  readonly ruleId: string;
  readonly ruleName: string;
  readonly ruleTitle: string;
  readonly points: readonly CoveragePoint[];
}

/** A selection or an item of one: a test should make it true once and false once. */
export interface CoveragePoint {
  readonly kind: 'selection' | 'item';
  readonly name: string;
  readonly everTrue: boolean;
  readonly everFalse: boolean;
}

export interface CoverageRecorder {
  /** Asks the rules about all spans of a case. Spans outside of a rule's logsource show nothing about it. */
  record(rules: readonly Rule[], events: SpanEvents): void;
  /** In the order of `rules`; a rule that no case ran has no points. */
  report(rules: readonly Rule[]): RuleCoverage[];
}

export function createCoverage(fields: FieldTable): CoverageRecorder {
  const known = new Map<Rule, { explain: ReturnType<typeof createExplainer>; points: Map<string, Seen> }>();
  return {
    record: (rules, events) => {
      for (const rule of rules) {
        const entry = known.get(rule) ?? { explain: createExplainer(rule, fields), points: new Map() };
        known.set(rule, entry);
        for (let span = 0; span < events.batch.spanCount; span++) {
          const [logsource, detection] = entry.explain(events, span).parts;
          if (logsource?.matched && detection) visit(detection, '', entry.points);
        }
      }
    },
    report: (rules) =>
      rules.map((rule) => {
        const { id, name, title } = rule.meta;
        return { ruleId: id, ruleName: name, ruleTitle: title, points: [...(known.get(rule)?.points.values() ?? [])] };
      }),
  };
}

/** Outcomes seen and outcomes there are: two of each point. */
export function coveredOf(rules: readonly RuleCoverage[]): { readonly seen: number; readonly all: number } {
  const points = rules.flatMap((rule) => rule.points);
  const seen = points.reduce((sum, point) => sum + Number(point.everTrue) + Number(point.everFalse), 0);
  return { seen, all: points.length * 2 };
}

type Seen = { -readonly [key in keyof CoveragePoint]: CoveragePoint[key] };

/** A selection that a condition names twice is one point; the items below it go by their place in it. */
function visit(explanation: Explanation, place: string, points: Map<string, Seen>): void {
  if (explanation.kind === 'item') {
    const { field, wanted, negated, link, matched } = explanation;
    const shown = wanted.slice(0, 3).map(({ text }) => text);
    const asked = shown.join(link === 'all' ? ' and ' : ' or ') + (wanted.length > shown.length ? ' …' : '');
    see(
      points,
      place,
      'item',
      `${place.split('\0')[0]}: ${field || 'any text'} ${negated ? 'not ' : ''}${asked}`,
      matched,
    );
    return;
  }
  const { kind, label, matched, parts } = explanation;
  if (kind === 'selection') see(points, label, 'selection', label, matched);
  const inFilter = kind === 'filter' ? `filter ${label}` : place;
  for (const [index, part] of parts.entries()) {
    visit(part, kind === 'selection' ? `${label}\0${index}` : `${inFilter}\0${index}`, points);
  }
}

function see(points: Map<string, Seen>, key: string, kind: Seen['kind'], name: string, matched: boolean): void {
  const point = points.get(`${kind}\0${key}`) ?? { kind, name, everTrue: false, everFalse: false };
  points.set(`${kind}\0${key}`, point);
  if (matched) point.everTrue = true;
  else point.everFalse = true;
}
