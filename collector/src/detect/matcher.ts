import { limits } from '../model/limits.ts';
import { isList, type Value, valueText } from '../model/value.ts';
import { foldCase } from './fold.ts';
import type { TextRange } from './glob.ts';

/** One scalar of a field as matchers see it; text and folded text are made when first asked for. */
export class Member {
  readonly value: Value;
  /** Which texts the detector looks for stand in this member; kept here by its literal scanner. */
  found: Uint32Array | undefined;
  #text: string | undefined;
  #folded: string | undefined;

  constructor(value: Value) {
    this.value = value;
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
  /** What the rule asks for, for people. */
  readonly wanted: string;
  /**
   * Folded texts: of each set at least one stands in every member that passes. An index over them may skip the matcher,
   * nothing else.
   */
  readonly required: readonly (readonly string[])[];
  /** The matcher costs more than a search for its required texts. */
  readonly costly?: true;
}

/** The members of a field: a scalar is one, an array is each of its scalars, a map is its JSON text. */
export function membersOf(value: Value): Member[] {
  if (!isList(value)) return [new Member(value)];
  const members: Member[] = [];
  addMembers(value, members);
  return members;
}

function addMembers(values: readonly Value[], members: Member[]): void {
  for (const value of values) {
    if (members.length >= limits.fieldMembersMax) return;
    if (isList(value)) addMembers(value, members);
    else members.push(new Member(value));
  }
}
