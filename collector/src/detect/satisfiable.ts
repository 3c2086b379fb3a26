import { isContradiction, operators, type Threshold } from './correlate/thresholds.ts';
import type { Condition, DetectionSyntax, ItemSyntax, SearchSyntax } from './rule.ts';
import type { YamlScalar } from './yaml.ts';

/** What the parts of a condition leave possible, whatever the span. */
export interface Possible {
  readonly canBeTrue: boolean;
  readonly canBeFalse: boolean;
  /** Fields that would need several values at once for it to be true; none where one value each is enough. */
  readonly needsLists: readonly string[];
}

/**
 * Whether a condition can be true and can be false. Each field with modifiers and a value is a question of its own, but for what
 * absence says about the others; so what is called impossible is, and not all that is impossible is found.
 *
 * @param isList whether a field has several values by its nature
 */
export function possibleOf(
  condition: Condition,
  { identifiers }: DetectionSyntax,
  isList: (field: string) => boolean,
): Possible {
  const atoms = new Map<string, Atom>();
  const formula = formulaOf(condition, identifiers, atoms);
  const canBeTrue = new Solver(formula).canBe(true);
  const canBeFalse = new Solver(formula).canBe(false);
  const single = new Solver(formula, isList);
  const needsLists = canBeTrue && !single.canBe(true) ? [...single.tooMany] : [];
  return { canBeTrue, canBeFalse, needsLists };
}

/** One question about a field. */
interface Atom {
  readonly field: string;
  readonly kind: 'absent' | 'null' | 'value';
  /** Of a comparison with the whole value: the value. */
  readonly equals?: string;
  readonly bound?: Threshold;
}

type Formula =
  | { readonly kind: 'atom'; readonly atom: Atom }
  | { readonly kind: 'not'; readonly part: Formula }
  /** At least `count` of the parts hold. */
  | { readonly kind: 'of'; readonly count: number; readonly parts: readonly Formula[] };

type Atoms = Map<string, Atom>;

const and = (parts: readonly Formula[]): Formula => ({ kind: 'of', count: parts.length, parts });
const or = (parts: readonly Formula[]): Formula => ({ kind: 'of', count: 1, parts });

function formulaOf(condition: Condition, identifiers: DetectionSyntax['identifiers'], atoms: Atoms): Formula {
  const named = (name: string): Formula => {
    const search = identifiers.get(name);
    return search ? searchFormula(search, atoms) : and([]);
  };
  switch (condition.kind) {
    case 'identifier':
      return named(condition.name);
    case 'not':
      return { kind: 'not', part: formulaOf(condition.part, identifiers, atoms) };
    case 'of':
      return { kind: 'of', count: condition.count, parts: condition.names.map(named) };
    default: {
      const parts = condition.parts.map((part) => formulaOf(part, identifiers, atoms));
      return condition.kind === 'and' ? and(parts) : or(parts);
    }
  }
}

function searchFormula(search: SearchSyntax, atoms: Atoms): Formula {
  if (search.kind === 'item') return itemFormula(search.item, atoms);
  const parts = search.parts.map((part) => searchFormula(part, atoms));
  return search.kind === 'all' ? and(parts) : or(parts);
}

function itemFormula({ field, modifiers, values }: ItemSyntax, atoms: Atoms): Formula {
  const absent: Formula = { kind: 'atom', atom: atomOf({ field, kind: 'absent' }, '', atoms) };
  if (modifiers.includes('exists')) return values[0]?.value === false ? absent : { kind: 'not', part: absent };
  const chain = modifiers.filter((modifier) => modifier !== 'all' && modifier !== 'neq');
  const questions = values.map((value): Formula => ({ kind: 'atom', atom: valueAtom(field, chain, value, atoms) }));
  const linked = modifiers.includes('all') ? and(questions) : or(questions);
  if (!modifiers.includes('neq')) return linked;
  return and([
    { kind: 'not', part: absent },
    { kind: 'not', part: linked },
  ]);
}

function valueAtom(field: string, chain: readonly string[], { value, plain }: YamlScalar, atoms: Atoms): Atom {
  if (value === null && chain.length === 0) return atomOf({ field, kind: 'null' }, '', atoms);
  const key = JSON.stringify([...chain, typeof value === 'string' ? 'text' : plain, String(value)]);
  const [only, ...others] = chain;
  const operator = operators.find((each) => each === only);
  const isBound = operator !== undefined && others.length === 0 && typeof value === 'number';
  const isWhole = chain.length === 0 && !/[*?\\]/.test(String(value));
  const atom: Atom = {
    ...{ field, kind: 'value' },
    ...(isBound && { bound: { operator, value } }),
    ...(isWhole && { equals: String(value).toLowerCase() }),
  };
  return atomOf(atom, key, atoms);
}

/** The same question is the same atom. */
function atomOf(atom: Atom, key: string, atoms: Atoms): Atom {
  const whole = JSON.stringify([atom.field, atom.kind, key]);
  const known = atoms.get(whole) ?? atom;
  atoms.set(whole, known);
  return known;
}

/** Steps after which something counts as possible. */
const stepsMax = 20_000;

/** Tries answers to the questions one after the other, until what is known decides. */
class Solver {
  /** Fields on which answers failed because one value cannot be two. */
  readonly tooMany = new Set<string>();
  readonly #formula: Formula;
  readonly #isList: ((field: string) => boolean) | undefined;
  readonly #answers = new Map<Atom, boolean>();
  #steps = 0;

  /** @param isList fields that it does not know have one value each; without it each may have several */
  constructor(formula: Formula, isList?: (field: string) => boolean) {
    this.#formula = formula;
    this.#isList = isList;
  }

  canBe(wanted: boolean): boolean {
    if (++this.#steps > stepsMax) return true;
    const open: Atom[] = [];
    const known = this.#known(this.#formula, open);
    if (known !== undefined) return known === wanted;
    const [atom] = open;
    for (const answer of [true, false]) {
      this.#answers.set(atom!, answer);
      if (this.#isConsistent(atom!) && this.canBe(wanted)) return true;
    }
    this.#answers.delete(atom!);
    return false;
  }

  /** What the answers so far say; `open` takes a question that is still to be answered. */
  #known(formula: Formula, open: Atom[]): boolean | undefined {
    if (formula.kind === 'atom') {
      const answer = this.#answers.get(formula.atom);
      if (answer === undefined && open.length === 0) open.push(formula.atom);
      return answer;
    }
    if (formula.kind === 'not') {
      const known = this.#known(formula.part, open);
      return known === undefined ? undefined : !known;
    }
    let [yes, no] = [0, 0];
    for (const part of formula.parts) {
      const known = this.#known(part, open);
      if (known === true) yes++;
      else if (known === false) no++;
      if (yes >= formula.count) return true;
      if (formula.parts.length - no < formula.count) return false;
    }
    return yes >= formula.count ? true : undefined;
  }

  #isConsistent({ field }: Atom): boolean {
    if (field === '') return true;
    const answered = [...this.#answers].filter(([atom]) => atom.field === field);
    const answerOf = (kind: Atom['kind']): boolean | undefined => answered.find(([atom]) => atom.kind === kind)?.[1];
    const values = answered.filter(([{ kind }, answer]) => kind === 'value' && answer).map(([atom]) => atom);
    // What is absent is null, and neither has a value.
    if (answerOf('absent') === true && answerOf('null') === false) return false;
    if ((answerOf('absent') === true || answerOf('null') === true) && values.length > 0) return false;
    if (this.#isList === undefined || this.#isList(field) || canBeOne(values)) return true;
    this.tooMany.add(field);
    return false;
  }
}

/** Whether one value can be all of these. */
function canBeOne(atoms: readonly Atom[]): boolean {
  const whole = new Set(atoms.flatMap(({ equals }) => (equals === undefined ? [] : [equals])));
  const bounds = atoms.flatMap(({ bound }) => (bound ? [bound] : []));
  return whole.size < 2 && (bounds.length === 0 || !isContradiction(bounds));
}
