import type { Position } from '../model/errors.ts';
import type { RuleResponse } from '../model/finding.ts';
import type { Level } from '../model/severity.ts';
import type { YamlScalar } from './yaml.ts';

/** A detection rule as written, checked for form, its values not yet read. */
export interface RuleSyntax {
  readonly meta: RuleMeta;
  readonly logsource: Logsource;
  readonly detection: DetectionSyntax;
  readonly at: Position;
}

export interface RuleMeta {
  /** The rule's `id`, else its `name`, else its title. */
  readonly id: string;
  readonly name: string;
  readonly title: string;
  readonly level: Level;
  readonly response: RuleResponse;
  readonly status: string;
  readonly tags: readonly string[];
  /** Where each of the tags stands. */
  readonly tagsAt: readonly Position[];
  readonly description: string;
  /** Hash of the document, metadata included: any change to a rule is a new version. */
  readonly version: string;
  /** What it was called before, from `related` with the type `renamed`: its history goes on under the new id. */
  readonly formerIds: readonly string[];
  /** The fields in which repeats of a match agree, when the rule says so. */
  readonly foldBy?: readonly FoldField[];
}

/** A field in `fold-by`. */
export interface FoldField {
  readonly name: string;
  readonly at: Position;
}

/** Sigma filter: a condition of its own that is ANDed to the rules it names. */
export interface FilterSyntax {
  readonly meta: FilterMeta;
  readonly logsource: Logsource;
  /** Ids or names of rules; undefined is `any`. */
  readonly rules: readonly { readonly name: string; readonly at: Position }[] | undefined;
  /** Spans it is for; to all others it does nothing. */
  readonly scope?: SearchSyntax;
  readonly detection: DetectionSyntax;
  readonly at: Position;
}

export interface FilterMeta {
  readonly id: string;
  readonly name: string;
  readonly title: string;
  readonly version: string;
  readonly owner: string;
  readonly reason: string;
  /** It says an owner, a reason, an expiry or a scope. */
  readonly isSuppression: boolean;
  /** As written; undefined never expires. */
  readonly expires?: string;
  /** Event time from which on it does nothing. */
  readonly expiresNanos?: bigint;
}

export interface Logsource {
  readonly product: string | undefined;
  readonly category: string | undefined;
  readonly service: string | undefined;
  readonly at: Position;
}

export interface DetectionSyntax {
  readonly identifiers: ReadonlyMap<string, SearchSyntax>;
  /** More than one entry are queries of their own, OR-linked. */
  readonly conditions: readonly ConditionSyntax[];
}

/** The body of a search identifier: items linked by AND and OR. */
export type SearchSyntax =
  | { readonly kind: 'all' | 'any'; readonly parts: readonly SearchSyntax[]; readonly at: Position }
  | { readonly kind: 'item'; readonly item: ItemSyntax; readonly at: Position };

/** `field|modifier|modifier: values`; keywords have the field ''. */
export interface ItemSyntax {
  readonly field: string;
  readonly modifiers: readonly string[];
  readonly values: readonly YamlScalar[];
  readonly at: Position;
}

export type Condition =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Condition[] }
  | { readonly kind: 'not'; readonly part: Condition }
  | { readonly kind: 'identifier'; readonly name: string }
  /** At least `count` of `names` hold; `1 of` and `all of` are counts too. */
  | { readonly kind: 'of'; readonly count: number; readonly names: readonly string[]; readonly written: string };

export interface ConditionSyntax {
  readonly root: Condition;
  readonly text: string;
  readonly at: Position;
}
