import type { FieldId, FieldTable } from '../../model/fields.ts';
import type { Evidence, Finding } from '../../model/finding.ts';
import { limits } from '../../model/limits.ts';
import type { SpanEvents } from '../../model/span-events.ts';
import type { Value } from '../../model/value.ts';
import { findingId, reasonOf, ruleIdentity } from '../finding-texts.ts';
import type { Cursor } from '../reader.ts';
import type { SpanIdentity } from '../span-identity.ts';
import { type Chain, ReachedEvents } from './chain.ts';
import { type KeptFields, type KeptValues, keptValue } from './kept.ts';
import type { Leaf, PerAncestor, Program, Programs } from './program.ts';
import { decide, holdingLeaves, provingLeaves, unknown, type Verdict } from './verdict.ts';
import type { Ask, Shown } from './waiting.ts';

/** A chain of which findings may name the spans. */
export interface NamedChain extends Chain {
  /** The hex id of the span at a place; of the span itself beyond the last. */
  idAt(place: number): string;
}

/** Asks programs about spans that are there, and about spans that are gone and the chain above them. */
export class Judge {
  readonly #reached: ReachedEvents;
  /** Stands on a chain as one event. The detector counts its turns upwards, this one downwards: readers never take one for the other. */
  readonly #cursor: Cursor;
  #turn = -1;

  constructor({ names, bases }: Programs, fields: FieldTable) {
    this.#reached = new ReachedEvents(names, bases, fields);
    this.#cursor = { events: this.#reached, span: 0, turn: 0 };
  }

  /** Events to stand on before there are others. */
  get noEvents(): SpanEvents {
    return this.#reached;
  }

  /** A turn that no other event has. */
  nextTurn(): number {
    return --this.#turn;
  }

  /** A rule that the span's own fields do not exclude, as a question to those above it; undefined when they do. */
  ask(program: Program, cursor: Cursor): Ask | undefined {
    if (decide(program.whole, (leaf) => ownVerdict(program.leaves[leaf]!, cursor)) === 0) return undefined;
    const own = program.leaves.map((leaf) => ownVerdict(leaf, cursor));
    let values: Map<FieldId, Value> | undefined;
    for (const { ownFields } of program.leaves) {
      for (const field of ownFields) {
        const value = cursor.events.value(cursor.span, field);
        if (value === undefined) continue;
        values ??= new Map();
        values.set(field, keptValue(value));
      }
    }
    return { program, own, values: values ?? noValues, seen: program.perAncestor.map(() => 0) };
  }

  /** Why the items about the span itself hold that a finding may name. */
  evidence({ program, own }: Ask, cursor: Cursor): Shown['evidence'] {
    const evidence = new Map<number, readonly Evidence[]>();
    for (const leaf of provingLeaves(program.main)) {
      if (own[leaf] !== 1) continue;
      const items: Evidence[] = [];
      program.leaves[leaf]!.node.collect(cursor, items);
      evidence.set(leaf, items);
    }
    return evidence;
  }

  /** Takes in one more ancestor; whether it said something new. */
  hear(ask: Ask, fields: KeptFields): boolean {
    const { program, seen } = ask;
    let isNew = false;
    for (let i = 0; i < seen.length; i++) {
      const { perAncestor } = program.perAncestor[i]!;
      const said = seen[i]! | this.#saidOf(perAncestor!, fields, ask);
      if (said === seen[i]) continue;
      seen[i] = said;
      isNew = true;
    }
    return isNew;
  }

  /** What can be said with as much of the chain as is known. What is said once stays so, however the chain goes on. */
  reachedVerdict(ask: Ask, chain: Chain): Verdict {
    this.#standOn(chain, ask.values);
    return decide(ask.program.whole, (leaf) => this.#leafVerdict(ask, chain, leaf));
  }

  /** The filter that takes a match away, by its place; undefined when the rule itself does not hold. */
  suppressedBy(ask: Ask, chain: Chain): number | undefined {
    const { program } = ask;
    if (program.filters.length === 0) return undefined;
    this.#standOn(chain, ask.values);
    const verdictOf = (leaf: number): Verdict => this.#leafVerdict(ask, chain, leaf);
    if (decide(program.main, verdictOf) !== 1) return undefined;
    const place = program.filters.findIndex((filter) => decide(filter, verdictOf) === 0);
    return place < 0 ? undefined : place;
  }

  /** The finding of a match: the same, whenever it was decided. */
  finding(ask: Ask, shown: Shown, identity: SpanIdentity, chain: NamedChain, lastSeenNanos: bigint): Finding {
    const { program } = ask;
    const { meta } = program.rule;
    const { endNanos, ...named } = identity;
    this.#standOn(chain, ask.values);
    const holding = holdingLeaves(program.main, (leaf) => this.#leafVerdict(ask, chain, leaf));
    const evidence = holding.flatMap((leaf) => shown.evidence.get(leaf) ?? this.#reachedEvidence(ask, chain, leaf));
    return {
      id: findingId(meta.id, '', named.traceId + named.spanId),
      timeNanos: endNanos,
      ...ruleIdentity(meta),
      reason: reasonOf(meta),
      groupKey: '',
      ...named,
      evidence: evidence.slice(0, limits.evidenceItemsMax),
      lastSeenNanos,
      ...(shown.foldValues && { foldValues: shown.foldValues }),
    };
  }

  #leafVerdict({ program, own, seen }: Ask, chain: Chain, leaf: number): Verdict {
    const asked = program.leaves[leaf]!;
    if (own[leaf] !== unknown) return own[leaf]!;
    if (asked.perAncestor) return verdictOfSaid(asked, seen[program.perAncestor.indexOf(asked)]!, chain.end === 'open');
    const { node, reads, positive } = asked;
    let partial = false;
    if (chain.end === 'open') {
      for (const { reach, field } of reads) {
        if (reach === 'parent' && chain.length > 0) continue;
        if (reach !== 'ancestor' || this.#reached.value(0, field) === undefined) return unknown;
        partial = true;
      }
    }
    const holds = node.test(this.#cursor);
    return !partial || holds === positive ? (holds ? 1 : 0) : unknown;
  }

  /** What an item says of one ancestor; if that is all it looks at, it is asked once about equal ones. */
  #saidOf({ place, base, parts, isComparison }: PerAncestor, { values, said }: KeptFields, ask: Ask): number {
    if (values[base] === undefined) return 0;
    const known = said[place];
    if (known && !isComparison) return known;
    let bits = 1;
    this.#standOn(single(values), ask.values);
    for (let part = 0; part < parts.length; part++) if (parts[part]!.test(this.#cursor)) bits |= 2 << part;
    if (isComparison) return bits;
    while (said.length < place) said.push(0);
    said[place] = bits;
    return bits;
  }

  #reachedEvidence(ask: Ask, chain: NamedChain, leaf: number): readonly Evidence[] {
    const { node, reads } = ask.program.leaves[leaf]!;
    this.#standOn(chain, ask.values);
    const items: Evidence[] = [];
    node.collect(this.#cursor, items);
    const spanId = this.#whereOf(ask, chain, leaf);
    const where = spanId === undefined ? (reads[0]?.reach === 'ancestor' ? '' : ' (not known)') : ` (span ${spanId})`;
    return items.map((item) => ({ ...item, wanted: item.wanted + where }));
  }

  /** The span that makes the item hold; of ancestors the nearest that does so alone. */
  #whereOf({ program, values }: Ask, chain: NamedChain, leaf: number): string | undefined {
    const { node, reads } = program.leaves[leaf]!;
    const reach = reads[0]!.reach;
    if (reach === 'parent') return chain.length > 0 ? chain.idAt(0) : undefined;
    if (reach === 'root') return chain.end === 'root' ? chain.idAt(chain.length - 1) : undefined;
    for (let place = 0; place < chain.length; place++) {
      this.#standOn(single(chain.valuesAt(place)), values);
      const isThere = reads.some(({ field }) => this.#reached.value(0, field) !== undefined);
      if (isThere && node.test(this.#cursor)) return chain.idAt(place);
    }
    return undefined;
  }

  #standOn(chain: Chain, values: ReadonlyMap<FieldId, Value>): void {
    this.#reached.chain = chain;
    this.#reached.own = values;
    this.#cursor.turn = --this.#turn;
  }
}

const noValues: ReadonlyMap<FieldId, Value> = new Map();

/** One ancestor as a chain of its own. */
function single(values: KeptValues): Chain {
  return { end: 'cut', length: 1, valuesAt: () => values, self: values };
}

/** What the span's own fields say of an item. A comparison does not hold when its own side is missing. */
function ownVerdict({ node, reads, needs }: Leaf, cursor: Cursor): Verdict {
  if (reads.length > 0) return needs && needs.read(cursor) === undefined ? 0 : unknown;
  return node.test(cursor) ? 1 : 0;
}

/** The answers about each ancestor as one about all of them; further ones can only add bits. */
function verdictOfSaid({ item: { test }, perAncestor }: Leaf, said: number, isOpen: boolean): Verdict {
  const isThere = said !== 0;
  if (!isThere && isOpen) return unknown;
  if (test.kind === 'exists') return isThere === test.wanted ? 1 : 0;
  const hasAll = isThere && said >>> 1 === 2 ** perAncestor!.parts.length - 1;
  if (test.kind === 'null' && !isThere) return test.negate ? 0 : 1;
  if (!isThere) return 0;
  if (!hasAll && isOpen) return unknown;
  return hasAll === test.negate ? 0 : 1;
}
