import { limits } from '../model/limits.ts';
import { isList, type Value, valueText } from '../model/value.ts';
import { foldCase } from '../text/fold.ts';
import type { TextRange } from './glob.ts';
import type { Scanned } from './literal-scan.ts';
import type { Pattern } from './values.ts';
import type { TextViews, View } from './views.ts';

/** One scalar of a field as matchers see it; text and folded text are made when first asked for. */
export class Member {
  readonly value: Value;
  /** What the literal scanner of the detector saw in this member; it keeps it here. */
  scanned: Scanned | undefined;
  #text: string | undefined;
  #folded: string | undefined;
  /** A member whose text is the same to the literal scanner, so that what it finds in one stands for the other. */
  readonly twin: Member | undefined;
  readonly #views: TextViews | undefined;
  #shown: Partial<Record<View, readonly Member[]>> | undefined;

  constructor(value: Value, views?: TextViews, twin?: Member) {
    this.value = value;
    this.twin = twin;
    this.#views = views;
  }

  /** The texts that a view of this member shows; only text has other views than itself. */
  view(view: View): readonly Member[] {
    this.#shown ??= {};
    this.#shown[view] ??= typeof this.value === 'string' && this.#views ? this.#views.of(this, view) : [this];
    return this.#shown[view];
  }

  get text(): string {
    this.#text ??= valueText(this.value);
    return this.#text;
  }

  get folded(): string {
    this.#folded ??= foldCase(this.text);
    return this.#folded;
  }
}

/** Tests one member of a field against one value of a rule. */
export interface Matcher {
  test(member: Member): boolean;
  /** Where it matches in the text of a member that passed `test`; the whole text when it has no place. */
  find?(member: Member): TextRange;
  /** An excerpt for people, where the matching place alone would not tell. */
  show?(member: Member): string;
  /** What is asked about the texts that `view` shows; of matchers that look through one. */
  readonly inner?: Matcher;
  /** It looks at this form of a member, and so do its required texts. */
  readonly view?: View;
  /** What the rule asks for, for people. */
  readonly wanted: string;
  /**
   * Folded texts: of each set at least one stands in every member that passes, or in a text that `view` shows of it. An
   * index over them may skip the matcher, nothing else.
   */
  readonly required: readonly (readonly string[])[];
  /** The matcher costs more than a search for its required texts. */
  readonly costly?: true | undefined;
  /** The same test as data, for those who say it in another language; left out where only code says it. */
  readonly spec?: MatcherSpec;
}

/** A null never passes; all but `cidr` take any other scalar, as its text. */
export type MatcherSpec =
  /** Without `cased`, texts are compared in folded form. */
  | { readonly kind: 'glob'; readonly pattern: Pattern; readonly cased: boolean }
  | { readonly kind: 'regex'; readonly source: string; readonly flags: Readonly<Record<'i' | 'm' | 's', boolean>> }
  | { readonly kind: 'boolean'; readonly wanted: boolean }
  | { readonly kind: 'number'; readonly operator: 'eq' | 'lt' | 'lte' | 'gt' | 'gte'; readonly wanted: number | bigint }
  | { readonly kind: 'cidr'; readonly network: string };

/** The members of a field: a scalar is one, an array is each of its scalars, a map is its JSON text. */
export function membersOf(value: Value, views?: TextViews): Member[] {
  if (!isList(value)) return [new Member(value, views)];
  const members: Member[] = [];
  addMembers(value, members, views);
  return members;
}

function addMembers(values: readonly Value[], members: Member[], views: TextViews | undefined): void {
  for (const value of values) {
    if (members.length >= limits.fieldMembersMax) return;
    if (isList(value)) addMembers(value, members, views);
    else members.push(new Member(value, views));
  }
}
