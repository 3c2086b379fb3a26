import type { Grown } from '../model/grown-list.ts';
import { limits } from '../model/limits.ts';
import type { RepeatedTexts } from '../model/span-events.ts';
import type { Scanned } from './literal-scan.ts';
import type { MatcherGroup } from './literal-scanner.ts';
import { Member } from './matcher.ts';
import type { RepeatedMembers } from './repeated-members.ts';
import type { View } from './views.ts';

/** What there is of a field in the span that is looked at. */
export interface Told {
  readonly texts: RepeatedTexts;
  /** Members of what does not come again as it is: instructions, and the answer. */
  readonly head: readonly Member[];
  readonly tail: readonly Member[];
}

/** What was found in the first texts of a list, which stands for every call that begins with them. */
interface Notes {
  /** Whose they are; nothing in them keeps the rules in memory that they were made for. */
  readonly owner: object;
  /** By view. */
  readonly looks: Map<View | undefined, Look>;
  /** So many texts pass none of a group of matchers, by its number. */
  readonly failed: Map<number, number>;
}

/** The literals that may stand in a view of the first texts. */
interface Look {
  looked: number;
  readonly ids: Set<number>;
  /** By literal, in the order of `ids`, the text that was the first to have it. */
  readonly firsts: number[];
  /** All of those up to a text, as they were asked for last. */
  shown: ShownTexts | undefined;
}

/**
 * Looks at the texts of fields to which calls of a model add: at each text once for every view of a field, and once for every group
 * of matchers, however often the conversation is sent. What is found is noted with the place of the text, so it holds for calls
 * that send more of the conversation and for those that send less, in whatever order they come.
 */
export class RepeatedLooks {
  readonly #members: RepeatedMembers;
  readonly #look: (member: Member) => Scanned;
  readonly #owner = {};
  readonly #numbers = new Map<MatcherGroup, number>();
  #isAfresh = false;

  constructor(members: RepeatedMembers, look: (member: Member) => Scanned) {
    this.#members = members;
    this.#look = look;
  }

  /** Meanwhile groups are asked again about texts of which their answer is known: what they take is to be measured. */
  afresh(work: () => void): void {
    this.#isAfresh = true;
    try {
      work();
    } finally {
      this.#isAfresh = false;
    }
  }

  /** Undefined for more texts than rules look at. */
  told(texts: RepeatedTexts): Told | undefined {
    if (texts.head.length + texts.count + texts.tail.length > limits.fieldMembersMax) return undefined;
    return { texts, head: texts.head.map(this.#memberOf), tail: texts.tail.map(this.#memberOf) };
  }

  /** Members that hold what those of the field hold in a view; what was sent is one of them. */
  shown({ texts, head, tail }: Told, view: View | undefined): readonly Member[] {
    const { sent, count } = texts;
    if (count === 0) return [...head, ...tail];
    return [this.#shownTexts(sent, count, view), ...head, ...tail];
  }

  /** The first member of the field that passes. */
  first({ texts, head, tail }: Told, group: MatcherGroup): Member | undefined {
    return head.find(group.test) ?? this.#firstSent(texts, group) ?? tail.find(group.test);
  }

  readonly #memberOf = (text: string): Member => this.#members.member(text);

  #firstSent({ sent, count }: RepeatedTexts, group: MatcherGroup): Member | undefined {
    const { failed } = this.#notesOf(sent);
    const number = this.#numberOf(group);
    const known = failed.get(number);
    let at = this.#isAfresh ? 0 : (known ?? 0);
    let found: Member | undefined;
    for (; at < count && found === undefined; at++) {
      const member = this.#members.member(sent.items[at]!);
      if (group.test(member)) found = member;
    }
    if (found !== undefined) at--;
    if (known === undefined) sent.weigh(entryBytes);
    if (known === undefined || at > known) failed.set(number, at);
    return found;
  }

  #shownTexts(sent: Grown<string>, count: number, view: View | undefined): ShownTexts {
    const { looks } = this.#notesOf(sent);
    let look = looks.get(view);
    if (look === undefined) {
      look = { looked: 0, ids: new Set(), firsts: [], shown: undefined };
      looks.set(view, look);
      sent.weigh(lookBytes);
    }
    const before = look.firsts.length;
    for (; look.looked < count; look.looked++) this.#note(look, sent.items[look.looked]!, view);
    if (look.firsts.length > before) sent.weigh((look.firsts.length - before) * entryBytes);
    let found = look.firsts.length;
    while (found > 0 && look.firsts[found - 1]! >= count) found--;
    if (look.shown?.scanned.hits.length !== found) look.shown = new ShownTexts([...look.ids].slice(0, found));
    return look.shown!;
  }

  #note({ looked, ids, firsts }: Look, text: string, view: View | undefined): void {
    const member = this.#members.member(text);
    for (const each of view === undefined ? [member] : member.view(view)) {
      for (const id of this.#look(each).hits) {
        if (ids.has(id)) continue;
        ids.add(id);
        firsts.push(looked);
      }
    }
  }

  #numberOf(group: MatcherGroup): number {
    const number = this.#numbers.get(group) ?? this.#numbers.size;
    this.#numbers.set(group, number);
    return number;
  }

  /** Two detectors at one list take turns in losing their notes. */
  #notesOf(sent: Grown<string>): Notes {
    const known = sent.note as Notes | undefined;
    if (known?.owner === this.#owner) return known;
    const notes: Notes = { owner: this.#owner, looks: new Map(), failed: new Map() };
    sent.note = notes;
    sent.weigh(notesBytes);
    return notes;
  }
}

const notesBytes = 320;
const lookBytes = 400;
/** Of a map or a set, with what stands beside it. */
const entryBytes = 64;

/** Stands for several texts: the scanner is told what it found in any of them. */
class ShownTexts extends Member {
  override readonly scanned: Scanned;

  constructor(ids: readonly number[]) {
    super('');
    this.scanned = { hits: Int32Array.from(ids), traits: 0 };
  }

  override view(): readonly Member[] {
    return [this];
  }
}
