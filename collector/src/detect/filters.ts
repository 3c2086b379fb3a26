import type { CorrelationSyntax } from './correlate/correlation.ts';
import { rulesNamed } from './names.ts';
import { didYouMean, type Report } from './report.ts';
import { type Detection, type ResolveOptions, resolveDetection, resolveSearch } from './resolve.ts';
import type { Condition, FilterMeta, FilterSyntax, Logsource, RuleSyntax } from './rule.ts';

/** A filter ready for the detector. Its scope and its expiry are parts of its conditions already. */
export interface RuleFilter extends Detection {
  readonly meta: FilterMeta;
  readonly file: string;
  readonly syntax: FilterSyntax;
  /** Ids of the loaded rules it is ANDed to. */
  readonly ruleIds: readonly string[];
}

export interface AttachedFilters {
  /** All filters, also those that belong to no rule. */
  readonly filters: readonly RuleFilter[];
  /** Those of each rule. */
  readonly filtersOf: readonly (readonly RuleFilter[])[];
}

/** What no filter reaches: correlations, and rules with an error. */
interface Others {
  readonly correlations: readonly CorrelationSyntax[];
  readonly brokenNames: ReadonlySet<string>;
}

/**
 * The filters of each rule: those that name it and whose logsource keys it all sets to the same values.
 *
 * @param others for what is said of a filter that names them
 */
export function attachFilters(
  rules: readonly RuleSyntax[],
  filters: readonly FilterSyntax[],
  options: ResolveOptions,
  others: Others = { correlations: [], brokenNames: new Set() },
): AttachedFilters {
  const byName = rulesNamed(rules);
  const named = { byName, correlations: rulesNamed(others.correlations), brokenNames: others.brokenNames };
  const attached: RuleFilter[][] = rules.map(() => []);
  const loaded = filters.map((filter): RuleFilter => {
    const wanted = filter.rules && new Set(filter.rules.map(({ name }) => byName.get(name)));
    checkTargets(filter, named, options.report);
    const places = [...rules.keys()].filter((index) => {
      const rule = rules[index]!;
      return (wanted?.has(rule) ?? true) && contains(rule.logsource, filter.logsource);
    });
    const ruleIds = places.map((index) => rules[index]!.meta.id);
    const ready = {
      ...resolveFilter(filter, options),
      meta: filter.meta,
      file: filter.at.file,
      syntax: filter,
      ruleIds,
    };
    for (const index of places) attached[index]!.push(ready);
    return ready;
  });
  return { filters: loaded, filtersOf: attached };
}

interface Targets {
  readonly byName: ReadonlyMap<string, RuleSyntax>;
  readonly correlations: ReadonlyMap<string, CorrelationSyntax>;
  readonly brokenNames: ReadonlySet<string>;
}

function checkTargets(filter: FilterSyntax, { byName, correlations, brokenNames }: Targets, report: Report): void {
  for (const { name, at } of filter.rules ?? []) {
    const rule = byName.get(name);
    if (brokenNames.has(name)) continue;
    const correlation = correlations.get(name);
    if (correlation) {
      const message = `the filter names \`${name}\`, which is a correlation: filters reach the rules below`;
      const advice = `Name those it lists: ${correlation.rules.map((listed) => listed.name).join(', ')}.`;
      report.warn('SW_RULE_VALUE', at, message, advice);
    } else if (rule === undefined) {
      const near = didYouMean(name, byName.keys());
      const advice = near && `Write \`${near}\`.`;
      report.warn('SW_RULE_VALUE', at, `the filter names \`${name}\`, which is no loaded rule`, advice);
    } else if (!contains(rule.logsource, filter.logsource)) {
      const message = `the filter does nothing to \`${name}\`: its logsource is another`;
      report.warn('SW_RULE_VALUE', at, message, 'Leave the category out of the logsource of the filter.');
    }
  }
}

/** Names that no filter can give a selection of its own. */
const scopeName = '(in scope)';
const expiredName = '(expired)';

/** `(not scope or expired or condition)`, so that whoever reads a filter's detection reads all of it. */
function resolveFilter({ detection, scope, meta }: FilterSyntax, options: ResolveOptions): Detection {
  const { searches, conditions } = resolveDetection(detection, options);
  const escapes: Condition[] = [];
  const all = new Map(searches);
  if (scope !== undefined) {
    all.set(scopeName, resolveSearch(scopeName, scope, options));
    escapes.push({ kind: 'not', part: { kind: 'identifier', name: scopeName } });
  }
  if (meta.expiresNanos !== undefined) {
    all.set(expiredName, { kind: 'item', item: expiryItem(meta.expiresNanos) });
    escapes.push({ kind: 'identifier', name: expiredName });
  }
  if (escapes.length === 0) return { searches, conditions };
  return {
    searches: all,
    conditions: conditions.map(({ root, text }) => ({ root: { kind: 'or', parts: [...escapes, root] }, text })),
  };
}

/** Times of this form compare as text. */
function expiryItem(nanos: bigint) {
  const ms = Number(nanos / 1_000_000n);
  const iso = `${new Date(ms).toISOString().slice(0, 19)}.${String(nanos % 1_000_000_000n).padStart(9, '0')}Z`;
  const matcher = { test: ({ text }: { text: string }) => text >= iso, wanted: `at or after ${iso}`, required: [] };
  const test = { kind: 'values', groups: [[matcher]], negate: false } as const;
  return { selection: expiredName, field: 'span.end_time', test };
}

function contains(rule: Logsource, filter: Logsource): boolean {
  return (['product', 'category', 'service'] as const).every(
    (key) => filter[key] === undefined || (key === 'category' && filter[key] === 'any') || filter[key] === rule[key],
  );
}
