import { limits } from '../../model/limits.ts';
import { ancestryField } from '../ancestry/fields.ts';
import type { Rule } from '../load.ts';
import { namesOf, rulesNamed } from '../names.ts';
import { didYouMean, type Report } from '../report.ts';
import type { Correlation, CorrelationMember, CorrelationSyntax, Named } from './correlation.ts';
import { isCorrelation } from './correlation.ts';

interface Linking {
  readonly bases: ReadonlyMap<string, Rule>;
  readonly syntaxes: ReadonlyMap<string, CorrelationSyntax>;
  readonly done: Map<CorrelationSyntax, Draft | undefined>;
  readonly report: Report;
  readonly brokenNames: ReadonlySet<string>;
}

interface Draft {
  readonly correlation: Correlation;
  readonly depth: number;
}

/**
 * Looks up the rules that correlations name, in all files. Gives each correlation after those it uses. Unknown names,
 * cycles, chains deeper than `limits.correlationDepthMax` and keys that a rule cannot give go to the report; such a
 * correlation is left out, and so is one over a rule with an error of its own.
 */
export function linkCorrelations(
  syntaxes: readonly CorrelationSyntax[],
  rules: readonly Rule[],
  report: Report,
  brokenNames: ReadonlySet<string> = new Set(),
): readonly Correlation[] {
  const names = { bases: rulesNamed(rules), syntaxes: rulesNamed(syntaxes), brokenNames };
  const linking: Linking = { ...names, done: new Map(), report };
  for (const syntax of syntaxes) link(syntax, [], linking);
  return [...linking.done.values()].flatMap((draft) => (draft ? [draft.correlation] : []));
}

function link(syntax: CorrelationSyntax, path: readonly CorrelationSyntax[], linking: Linking): Draft | undefined {
  const { done, report } = linking;
  if (done.has(syntax)) return done.get(syntax);
  const before = report.errors.length;
  const within = [...path, syntax];
  let depth = 1;
  let broken = false;
  const members = syntax.rules.flatMap((rule): CorrelationMember[] => {
    const found = sourceOf(rule, within, linking);
    if (!found) {
      broken = true;
      return [];
    }
    depth = Math.max(depth, found.depth + 1);
    return [memberOf(rule, found.source, syntax, report)];
  });
  checkAliases(syntax, members, report);
  if (depth > limits.correlationDepthMax) {
    const message = `correlations of correlations go ${depth} deep, more than ${limits.correlationDepthMax}`;
    report.error('SW_RULE_VALUE', syntax.at, message, 'Refer to detection rules directly.');
  }
  const { meta, at } = syntax;
  const failed = broken || report.errors.length > before;
  const draft = failed ? undefined : { correlation: { meta, file: at.file, syntax, members }, depth };
  done.set(syntax, draft);
  return draft;
}

function sourceOf(
  rule: Named,
  path: readonly CorrelationSyntax[],
  linking: Linking,
): { readonly source: Rule | Correlation; readonly depth: number } | undefined {
  const { bases, syntaxes, report, brokenNames } = linking;
  const base = bases.get(rule.name);
  if (base) return { source: base, depth: 0 };
  const syntax = syntaxes.get(rule.name);
  // What is wrong with it was told; that it is missing is no other error.
  if (!syntax && brokenNames.has(rule.name)) return undefined;
  if (!syntax) {
    const near = didYouMean(rule.name, [...bases.keys(), ...syntaxes.keys()]);
    const advice = near ? `Write \`${near}\`.` : 'Write the id or name of a rule that is loaded without an error.';
    report.error('SW_RULE_VALUE', rule.at, `there is no rule \`${rule.name}\``, advice);
    return undefined;
  }
  const cycle = path.indexOf(syntax);
  if (cycle >= 0) {
    const names = [...path.slice(cycle), syntax].map(({ meta }) => meta.name || meta.id).join(' → ');
    report.error('SW_RULE_VALUE', rule.at, `the correlations form a cycle: ${names}`, 'Remove one of the references.');
    return undefined;
  }
  // The stack is as deep as the chain is long, so a chain that cannot be loaded must not be followed to its end.
  if (path.length > limits.correlationDepthMax) {
    const message = `correlations of correlations go more than ${limits.correlationDepthMax} deep`;
    report.error('SW_RULE_VALUE', rule.at, message, 'Refer to detection rules directly.');
    return undefined;
  }
  const draft = link(syntax, path, linking);
  return draft && { source: draft.correlation, depth: draft.depth };
}

function memberOf(
  { name, at }: Named,
  source: Rule | Correlation,
  syntax: CorrelationSyntax,
  report: Report,
): CorrelationMember {
  const resolve = (field: Named): string => {
    const alias = syntax.aliases.get(field.name);
    const target = [...namesOf(source), name].map((each) => alias?.fields.get(each)).find((each) => each !== undefined);
    if (alias && !target) {
      const message = `the alias \`${field.name}\` has no field for \`${name}\``;
      report.error('SW_RULE_VALUE', alias.at, message, `Add \`${name}: <field>\`.`);
    }
    const wanted = target ?? field;
    if (ancestryField(wanted.name)) {
      const message = `a correlation cannot group or measure by \`${wanted.name}\`, which belongs to another span`;
      report.error('SW_RULE_FIELD', wanted.at, message, 'Name a field of the span itself.');
    }
    if (isCorrelation(source) && !source.syntax.groupBy.some((key) => key.name === wanted.name)) {
      const has = source.syntax.groupBy.map((key) => `\`${key.name}\``).join(', ') || 'nothing';
      const message = `a match of the correlation \`${name}\` has no \`${wanted.name}\``;
      report.error('SW_RULE_FIELD', target ? target.at : at, message, `It is grouped by ${has}.`);
    }
    return wanted.name;
  };
  return { name, source, groupFields: syntax.groupBy.map(resolve), valueFields: syntax.fields.map(resolve) };
}

function checkAliases(syntax: CorrelationSyntax, members: readonly CorrelationMember[], report: Report): void {
  for (const [alias, { fields, at }] of syntax.aliases) {
    const used = [...syntax.groupBy, ...syntax.fields].some(({ name }) => name === alias);
    if (!used)
      report.warn('SW_RULE_KEY', at, `nothing uses the alias \`${alias}\``, 'Use it in `group-by` or remove it.');
    for (const [rule, field] of fields) {
      const names = members.flatMap(({ name, source }) => [name, ...namesOf(source)]);
      if (members.length < syntax.rules.length || names.includes(rule)) continue;
      const message = `the alias \`${alias}\` names \`${rule}\`, which the correlation does not list`;
      report.error('SW_RULE_VALUE', field.at, message, 'Write the name of a listed rule.');
    }
  }
}
