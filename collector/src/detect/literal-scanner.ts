import { limits } from '../model/limits.ts';
import type { TextRange } from './glob.ts';
import { likeNormalised } from './literal-automaton.ts';
import { createScan, type Scan, type Scanned } from './literal-scan.ts';
import type { Matcher, Member } from './matcher.ts';
import { throughView, type View } from './views.ts';

/** The number of a literal in the scanner of a detector. */
export type LiteralId = number;

/**
 * Looks for the required texts of all rules of a detector in one pass over a member (Aho-Corasick), however many rules ask.
 * Literals are added first; the automaton is built at the first scan and after that nothing is added. It works on the text
 * as it is: characters that fold to the same one share a class. When all literals together are too large for its table, it
 * looks for their beginnings, so that it may say too much but never too little.
 */
export interface LiteralScanner {
  /** Folded text; undefined when the scanner cannot look for it. */
  add(literal: string): LiteralId | undefined;
  /** Adds the texts that these matchers require, for who guards them after the first scan. */
  expect(matchers: readonly Matcher[]): void;
  /** The literals that may stand in the member, each once, in no order; kept for the life of the member. */
  hits(member: Member): Int32Array;
  /** The same and the traits of the text. */
  look(member: Member): Scanned;
  /** The matcher, asked only about members that hold the texts it requires. */
  guard(matcher: Matcher): Matcher;
  /** Matchers of which one has to pass. Of many only those are asked whose texts stand in a member. */
  group(matchers: readonly Matcher[]): MatcherGroup;
  /** Meanwhile regexes are asked again about texts of which their answer is known: what they take is to be measured. */
  afresh(work: () => void): void;
}

export interface MatcherGroup {
  /** Guarded, in the given order. */
  readonly matchers: readonly Matcher[];
  /** Whether one of them passes the member. */
  test(member: Member): boolean;
}

export function createLiteralScanner(cellsMax = limits.literalTableCellsMax): LiteralScanner {
  /** By id, what is looked for of each. */
  const needles: string[] = [];
  /** -1 for what cannot be looked for. */
  const ids = new Map<string, LiteralId>();
  let scan: Scan | undefined;
  const keys = new Map<string, number>();
  let isAfresh = false;
  const afresh = (work: () => void): void => {
    isAfresh = true;
    try {
      work();
    } finally {
      isAfresh = false;
    }
  };
  /** Equal matchers have one; the number after it stands for the same asked of the normalised form of a text. */
  const keyOf = ({ spec }: Matcher): number => {
    const name = JSON.stringify(spec);
    const key = keys.get(name) ?? 2 * keys.size;
    keys.set(name, key);
    return key;
  };
  const add = (literal: string): LiteralId | undefined => {
    const known = ids.get(literal);
    if (known !== undefined) return known < 0 ? undefined : known;
    if (scan) throw new Error('literal scanner: a text was added after the first scan');
    const needle = scannable(literal);
    const id = needle === '' ? -1 : needles.push(needle) - 1;
    ids.set(literal, id);
    return id < 0 ? undefined : id;
  };
  const expect = (matchers: readonly Matcher[]): void => {
    for (const matcher of matchers) {
      if (matcher.inner && matcher.view) expect([matcher.inner]);
      else if (matcher.costly) for (const set of matcher.required) for (const literal of set) add(literal);
    }
  };
  const look = (member: Member): Scanned => {
    scan ??= remembering(createScan(needles, cellsMax));
    member.scanned ??= member.twin ? look(member.twin) : scan(member.text);
    return member.scanned;
  };
  const hits = (member: Member): Int32Array => look(member).hits;
  /** By literal, the mark of the text looked at last in which it stands. */
  let marks = new Int32Array(0);
  let turn = 0;
  let marked: Scanned | undefined;
  const mark = (scanned: Scanned): void => {
    if (marked === scanned) return;
    if (marks.length < needles.length) marks = new Int32Array(needles.length);
    marked = scanned;
    turn = (turn + 1) | 0;
    if (turn === 0) marks.fill(turn++);
    for (const id of scanned.hits) marks[id] = turn;
  };
  const holdsOne = (set: Int32Array): boolean => {
    for (let at = 0; at < set.length; at++) if (marks[set[at]!] === turn) return true;
    return false;
  };
  /** Of each set one has to stand in a member that passes; undefined when the matcher is not to be guarded. */
  const setsOf = ({ costly, required }: Matcher): readonly Int32Array[] | undefined => {
    if (!costly) return undefined;
    const sets = required.map((set) => set.map(add)).filter((set) => !set.includes(undefined));
    return sets.length === 0 ? undefined : sets.map((set) => Int32Array.from(set as LiteralId[]));
  };
  /** A regex without texts of its own, asked once about each text that is long enough to be kept. */
  const remembered = (matcher: Matcher): Matcher => {
    const key = keyOf(matcher);
    const test = (member: Member): boolean =>
      isAfresh || member.text.length < limits.scanCacheCharsMin
        ? matcher.test(member)
        : answered(look(member), member.twin ? key + 1 : key, matcher, member);
    return asked(matcher, test);
  };
  const guard = (matcher: Matcher): Matcher => {
    if (matcher.inner && matcher.view) return throughView(guard(matcher.inner), matcher.view);
    const wanted = setsOf(matcher);
    const isRegex = matcher.spec?.kind === 'regex';
    if (wanted === undefined) return isRegex ? remembered(matcher) : matcher;
    const key = isRegex ? keyOf(matcher) : 0;
    const test = (member: Member): boolean => {
      if (member.value === null) return false;
      const scanned = look(member);
      if (scanned.hits.length === 0) return false;
      mark(scanned);
      for (const set of wanted) if (!holdsOne(set)) return false;
      if (!isRegex || isAfresh) return matcher.test(member);
      return answered(scanned, member.twin ? key + 1 : key, matcher, member);
    };
    if (!isRegex || matcher.find === undefined) return asked(matcher, test);
    const find = (member: Member): TextRange => matcher.find!(member);
    return {
      ...asked(matcher, test),
      find: (member) => placed(look(member), member.twin ? key + 1 : key, find, member),
    };
  };
  /** Asks of guarded matchers those of which the smallest set of required texts has one in the member. */
  const indexed = (matchers: readonly Matcher[]): Test => {
    const entries = matchers.flatMap((matcher) => {
      const smallest = setsOf(matcher)!.reduce((best, set) => (set.length < best.length ? set : best));
      return [...smallest].map((id) => [id, matcher] as const);
    });
    const ids = Int32Array.from(entries, ([id]) => id);
    return (member) => {
      if (member.value === null) return false;
      const scanned = look(member);
      if (scanned.hits.length === 0) return false;
      mark(scanned);
      for (let at = 0; at < ids.length; at++) {
        if (marks[ids[at]!] === turn && entries[at]![1].test(member)) return true;
      }
      return false;
    };
  };
  const testOf = (matchers: readonly Matcher[]): Test => {
    const guarded: Matcher[] = [];
    const tests: Test[] = [];
    for (const matcher of matchers) {
      if (setsOf(matcher) === undefined) tests.push((member) => matcher.test(member));
      else guarded.push(matcher);
    }
    if (guarded.length > 0) tests.push(guarded.length === 1 ? guarded[0]!.test : indexed(guarded));
    return anyOf(tests);
  };
  const group = (given: readonly Matcher[]): MatcherGroup => {
    const matchers = given.map(guard);
    const tests = [...Map.groupBy(matchers, viewedBy)].map(([view, same]) => {
      const test = testOf(same.map((matcher) => matcher.inner ?? matcher));
      return view === undefined ? test : (member: Member) => member.view(view).some(test);
    });
    return { matchers, test: anyOf(tests) };
  };
  return { add, expect, hits, look, guard, group, afresh };
}

type Test = (member: Member) => boolean;

/** The matcher, asked in another way. */
function asked(matcher: Matcher, test: Test): Matcher {
  const { wanted, required, costly, spec, show } = matcher;
  return {
    test,
    ...(matcher.find && { find: (member) => matcher.find!(member) }),
    ...(show && { show }),
    ...{ wanted, required, costly },
    ...(spec && { spec }),
  };
}

function viewedBy({ inner, view }: Matcher): View | undefined {
  return inner && view;
}

function anyOf(tests: readonly Test[]): Test {
  if (tests.length === 1) return tests[0]!;
  return (member) => {
    for (const test of tests) if (test(member)) return true;
    return false;
  };
}

/** Asks the matcher once about each text, however many rules bring an equal one and however often the text comes again. */
function answered(scanned: Scanned, key: number, matcher: Matcher, member: Member): boolean {
  const known = scanned.answers?.get(key);
  if (known !== undefined) return known;
  const answer = matcher.test(member);
  scanned.answers ??= new Map();
  if (scanned.answers.size < limits.answersPerTextMax) scanned.answers.set(key, answer);
  return answer;
}

/** The same of the place at which it matches: finding that takes a regex longer than to tell that it matches. */
function placed(scanned: Scanned, key: number, find: (member: Member) => TextRange, member: Member): TextRange {
  const known = scanned.places?.get(key);
  if (known !== undefined) return known;
  const place = find(member);
  scanned.places ??= new Map();
  if (scanned.places.size < limits.answersPerTextMax) scanned.places.set(key, place);
  return place;
}

const nothing: Scanned = { hits: new Int32Array(0), traits: 0 };

/**
 * Conversations repeat on every call of a model: what was found in a long text is kept for when it comes again. A place in
 * the table is chosen by a few characters, which costs little; whether it is the same text is decided by all of them.
 */
function remembering(scan: Scan): Scan {
  const places = limits.scanCacheTextsMax;
  const texts: string[] = new Array(places).fill('');
  const found: Scanned[] = new Array(places).fill(nothing);
  return (text) => {
    if (text.length < limits.scanCacheCharsMin || text.length > limits.scanCacheCharsMax) return scan(text);
    const place = sample(text) & (places - 1);
    if (texts[place] === text) return found[place]!;
    texts[place] = text;
    found[place] = scan(text);
    return found[place]!;
  };
}

function sample(text: string): number {
  let mixed = text.length;
  for (let i = 1; i <= 16; i++) mixed = Math.imul(mixed ^ text.charCodeAt((text.length * i - 1) >> 4), 0x9e3779b1) + i;
  return mixed ^ (mixed >>> 15);
}

/** The longest run of a literal in which every character is one UTF-16 unit, so that a class of its own can stand for it. */
function scannable(literal: string): string {
  const whole = likeNormalised(literal);
  const run = hasPairs.test(whole)
    ? whole.split(/[\ud800-\udfff]+/).reduce((best, each) => (each.length > best.length ? each : best), '')
    : whole;
  return run.slice(rareStart(run));
}

const hasPairs = /[\ud800-\udfff]/;

/** What is left of a literal is to tell as much as the whole of it. */
const tellingChars = 12;
/** Beginnings that texts seldom show keep the scan near the first rows of its table, which is where it is fast. */
const beginningChars = 3;

function rareStart(run: string): number {
  let [best, rarity] = [0, 0];
  for (let from = 0; from <= run.length - tellingChars; from++) {
    let own = 0;
    for (let at = from; at < from + beginningChars; at++) own += rarityOf(run.charCodeAt(at));
    if (own > rarity) [best, rarity] = [from, own];
  }
  return best;
}

/** From what texts mostly consist of upwards; other characters are rarer still. */
const commonLetters = ' etaoinshrdlcumwfgypbvkxqjz';
const rarities = Uint8Array.from({ length: 128 }, (_, unit) => {
  const at = commonLetters.indexOf(String.fromCharCode(unit));
  return at < 0 ? commonLetters.length : at;
});

/** How seldom a character stands in texts: the higher the seldomer. */
export function rarityOf(unit: number): number {
  return unit < rarities.length ? rarities[unit]! : commonLetters.length;
}
