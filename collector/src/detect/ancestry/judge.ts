import type { FieldTable } from '../../model/fields.ts';
import type { Evidence, Finding } from '../../model/finding.ts';
import { limits } from '../../model/limits.ts';
import type { SpanEvents } from '../../model/span-events.ts';
import type { Value } from '../../model/value.ts';
import { findingId, reasonOf, ruleIdentity } from '../finding-texts.ts';
import type { Cursor } from '../reader.ts';
import { type Chain, ReachedEvents, rootOf } from './chain.ts';
import { keptValue } from './kept.ts';
import type { Leaf, Program, Programs } from './program.ts';
import { decide, holdingLeaves, provingLeaves, unknown, type Verdict } from './verdict.ts';
import type { Waiting } from './waiting.ts';

/** What the items about the span itself say of one span. */
export interface OwnPart {
  readonly own: readonly Verdict[];
  readonly evidence: ReadonlyMap<number, readonly Evidence[]>;
  readonly values: ReadonlyMap<string, Value>;
}

type Asked = Pick<Waiting, 'program' | 'own' | 'chain' | 'values'>;

/** Asks programs about spans that are there, and about spans that are gone and the chain above them. */
export class Judge {
  readonly #fields: FieldTable;
  readonly #reached: ReachedEvents;
  /** Stands on a span of the batch, or on a chain as one event; its readers are told by the turn. */
  readonly #cursor: Cursor;

  constructor({ names, bases }: Programs, fields: FieldTable) {
    this.#fields = fields;
    this.#reached = new ReachedEvents(names, bases, fields);
    this.#cursor = { events: this.#reached, span: 0, turn: 0 };
  }

  /** What a program says of a span without looking at others. */
  verdict(program: Program, events: SpanEvents, span: number): Verdict {
    this.#standOn(events, span);
    return decide(program.whole, (leaf) => this.#ownVerdict(program.leaves[leaf]!));
  }

  /** All that a later decision needs of the span itself. */
  ownPart(program: Program, events: SpanEvents, span: number): OwnPart {
    this.#standOn(events, span);
    const own = program.leaves.map((leaf) => this.#ownVerdict(leaf));
    const evidence = new Map<number, readonly Evidence[]>();
    const values = new Map<string, Value>();
    for (const leaf of provingLeaves(program.main)) {
      if (own[leaf] !== 1) continue;
      const items: Evidence[] = [];
      program.leaves[leaf]!.node.collect(this.#cursor, items);
      evidence.set(leaf, items);
    }
    for (const name of new Set(program.leaves.flatMap(({ ownFields }) => ownFields))) {
      const value = events.value(span, this.#fields.intern(name));
      if (value !== undefined) values.set(name, keptValue(value));
    }
    return { own, evidence, values };
  }

  /** What can be said with as much of the chain as is known. What is said once stays so, however the chain goes on. */
  reachedVerdict(asked: Asked): Verdict {
    this.#standOnChain(asked.chain, asked.values);
    return decide(asked.program.whole, (leaf) => this.#leafVerdict(asked, leaf));
  }

  /** The filter that takes a match away, by its place; undefined when the rule itself does not hold. */
  suppressedBy(asked: Asked): number | undefined {
    const { program } = asked;
    if (program.filters.length === 0) return undefined;
    this.#standOnChain(asked.chain, asked.values);
    const verdictOf = (leaf: number): Verdict => this.#leafVerdict(asked, leaf);
    if (decide(program.main, verdictOf) !== 1) return undefined;
    const place = program.filters.findIndex((filter) => decide(filter, verdictOf) === 0);
    return place < 0 ? undefined : place;
  }

  /** The finding of a match: the same, whenever it was decided. */
  finding(match: Waiting): Finding {
    const { program, identity, chain, foldValues } = match;
    const { meta } = program.rule;
    const { endNanos, ...shown } = identity;
    this.#standOnChain(chain, match.values);
    const holding = holdingLeaves(program.main, (leaf) => this.#leafVerdict(match, leaf));
    const evidence = holding.flatMap((leaf) => match.evidence.get(leaf) ?? this.#reachedEvidence(match, leaf));
    return {
      id: findingId(meta.id, '', shown.traceId + shown.spanId),
      timeNanos: endNanos,
      ...ruleIdentity(meta),
      reason: reasonOf(meta),
      groupKey: '',
      ...shown,
      evidence: evidence.slice(0, limits.evidenceItemsMax),
      lastSeenNanos: newestOf(chain),
      ...(foldValues && { foldValues }),
    };
  }

  #ownVerdict({ node, reads }: Leaf): Verdict {
    if (reads.length > 0) return unknown;
    return node.test(this.#cursor) ? 1 : 0;
  }

  #leafVerdict({ program, own, chain }: Asked, leaf: number): Verdict {
    const { node, reads, positive } = program.leaves[leaf]!;
    if (reads.length === 0) return own[leaf]!;
    let partial = false;
    if (chain.end === 'open') {
      for (const { reach, field } of reads) {
        if (reach === 'parent' && chain.spans.length > 0) continue;
        if (reach !== 'ancestor' || this.#reached.value(0, field) === undefined) return unknown;
        partial = true;
      }
    }
    const holds = node.test(this.#cursor);
    return !partial || holds === positive ? (holds ? 1 : 0) : unknown;
  }

  #reachedEvidence(match: Waiting, leaf: number): readonly Evidence[] {
    const { node, reads } = match.program.leaves[leaf]!;
    this.#standOnChain(match.chain, match.values);
    const items: Evidence[] = [];
    node.collect(this.#cursor, items);
    const spanId = this.#whereOf(match, leaf);
    const where = spanId === undefined ? (reads[0]?.reach === 'ancestor' ? '' : ' (not known)') : ` (span ${spanId})`;
    return items.map((item) => ({ ...item, wanted: item.wanted + where }));
  }

  /** The span that makes the item hold; of ancestors the nearest that does so alone. */
  #whereOf({ program, chain, values }: Waiting, leaf: number): string | undefined {
    const { node, reads } = program.leaves[leaf]!;
    const reach = reads[0]!.reach;
    if (reach === 'parent') return chain.spans[0]?.spanId;
    if (reach === 'root') return rootOf(chain)?.spanId;
    const alone = chain.spans.find((span) => {
      this.#standOnChain({ self: chain.self, spans: [span], end: 'cut' }, values);
      return reads.some(({ field }) => this.#reached.value(0, field) !== undefined) && node.test(this.#cursor);
    });
    return alone?.spanId;
  }

  #standOn(events: SpanEvents, span: number): void {
    this.#cursor.events = events;
    this.#cursor.span = span;
    this.#cursor.turn++;
  }

  #standOnChain(chain: Chain, values: ReadonlyMap<string, Value>): void {
    this.#reached.chain = chain;
    this.#reached.own = values;
    this.#standOn(this.#reached, 0);
  }
}

/** The end of the newest span that the decision rests on. */
export function newestOf({ self, spans }: Chain): bigint {
  return spans.reduce((newest, { endNanos }) => (endNanos > newest ? endNanos : newest), self.endNanos);
}
