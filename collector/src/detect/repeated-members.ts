import { limits } from '../model/limits.ts';
import { isList, type Value } from '../model/value.ts';
import { Member, membersOf } from './matcher.ts';
import type { TextViews } from './views.ts';

/** Whether the field mostly says again what spans before have said: the conversation, instructions, offered tools. */
export function isRepeated(field: string): boolean {
  return field.startsWith('message.') || repeatedFields.has(field);
}

const repeatedFields = new Set(['spanwarden.text.system', 'spanwarden.text.tool_definition']);

/**
 * Members of texts that come again: what was found in a text, and the forms it was brought into, stay with it until it has not
 * come for a while. Matchers see the same as with new members, because all that a member keeps follows from its text.
 */
export class RepeatedMembers {
  readonly #views: TextViews;
  readonly #charsMax: number;
  /** Those of now, and those of before, which go when there are enough of the others. */
  #recent = new Map<string, Member>();
  #earlier = new Map<string, Member>();
  #chars = 0;

  constructor(views: TextViews, charsMax: number = limits.repeatedCharsMax) {
    this.#views = views;
    this.#charsMax = charsMax;
  }

  /** As `membersOf`. */
  of(value: Value): Member[] {
    if (!isList(value)) return [this.member(value)];
    if (value.length > limits.fieldMembersMax || value.some(isNested)) return membersOf(value, this.#views);
    return value.map((each) => this.member(each));
  }

  /** The member of one text, or of another scalar. */
  member(value: Value): Member {
    // The engine hashes texts of these lengths whole, so that many of one length cannot be made to meet in one place.
    if (typeof value !== 'string' || value.length < limits.scanCacheCharsMin || value.length >= hashedCharsMax)
      return new Member(value, this.#views);
    const recent = this.#recent.get(value);
    if (recent !== undefined) return recent;
    const member = this.#earlier.get(value) ?? new Member(value, this.#views);
    this.#chars += value.length;
    if (this.#chars > this.#charsMax >> 1) {
      this.#earlier = this.#recent;
      this.#recent = new Map();
      this.#chars = value.length;
    }
    this.#recent.set(value, member);
    return member;
  }
}

function isNested(value: Value): boolean {
  return typeof value === 'object' && value !== null;
}

/** Of longer strings V8 takes the length for the hash. */
const hashedCharsMax = 16_383;
