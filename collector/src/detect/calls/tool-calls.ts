import type { AgentEvent } from '../../model/agent-event.ts';
import type { FieldTable } from '../../model/fields.ts';
import { limits } from '../../model/limits.ts';
import { Category, type SpanEvents } from '../../model/span-events.ts';
import { wholeOf } from '../slices.ts';
import type { RestoreOutcome, Slices, Stateful } from '../state.ts';
import type { StateBounds } from '../state-bounds.ts';
import { differences } from './arguments.ts';
import { CallsJournal, readJournal, readState, writeState } from './calls-state.ts';
import { maskedEvents } from './masked-events.ts';
import { createViewReader, type ViewReader } from './read-views.ts';
import { callOver, earlierAnswer, isAnswered, namedAnswer, originOf, proposalsOf } from './relate.ts';
import { answeredEvent, changedEvent, spanEvent, unansweredEvent } from './told.ts';
import { isTwin } from './twice-told.ts';
import { type CallView, compareViews } from './view.ts';
import { type Keeping, type Kept, ViewStore } from './view-store.ts';

export interface ToolCallsOptions {
  readonly fields: FieldTable;
  /** How long after its end a view waits for those that count before it, in nanoseconds of event time. */
  readonly settleNanos: bigint;
  /** How long a proposed call may go without an answer, and how far apart views of one call may be. */
  readonly openNanos: bigint;
  /** A number that senders do not know, so that they cannot choose which calls are remembered in one place; default 0. */
  readonly seed?: number;
  readonly bounds?: StateBounds['calls'];
}

/** Counts since the start. */
export interface ToolCallsCounters {
  /** Views that another view of the same call stands for. */
  joined: number;
  /** Calls told that have no tool span. */
  told: number;
  /** Proposed calls that nobody answered. */
  unanswered: number;
  /** Calls executed with other arguments than proposed. */
  changed: number;
  /** Views decided before their time because too many were remembered. */
  hurried: number;
}

/**
 * One tool call is one tool call, wherever it is seen. A tool span counts as it comes. Other views wait until event time has passed their
 * end by `settleNanos`: spans of MCP clients and servers count where there is no tool span above them, and results in messages where no
 * span of the call has come. What counts then is told as an event that rules take for a tool call. Spans of MCP that can have no tool
 * span above them do not wait: roots, and clients of services that were never seen to send tool spans. Tool spans of instrumentations that
 * were seen to tell calls which another one tells as well wait, too.
 *
 * A decision depends on views that ended by then, in event order, and so not on the order in which they came.
 */
export class ToolCalls implements Stateful {
  readonly counters: ToolCallsCounters = { joined: 0, told: 0, unanswered: 0, changed: 0, hurried: 0 };
  readonly #options: ToolCallsOptions;
  readonly #reader: ViewReader;
  readonly #store: ViewStore;
  readonly #journal = new CallsJournal();
  #newest = 0n;
  #lookedNanos = 0n;

  constructor(options: ToolCallsOptions) {
    this.#options = options;
    const { seed, bounds } = options;
    this.#store = new ViewStore((view) => this.#dueNanos(view), {
      ...(seed !== undefined && { seed }),
      ...(bounds && { bounds }),
    });
    this.#reader = createViewReader(options.fields);
  }

  /** Views that are remembered. */
  get size(): number {
    return this.#store.size;
  }

  /** How far event time has come by what was told to it. */
  get newestNanos(): bigint {
    return this.#newest;
  }

  /** The batch as rules of tool calls may see it. */
  masked(events: SpanEvents): SpanEvents {
    return maskedEvents(events, this.#reader);
  }

  /**
   * Notes the views in a batch, while it is valid.
   * @param latestNanos views that end later come from a wrong clock and are left out.
   */
  spans(events: SpanEvents, latestNanos: bigint): void {
    this.#reader.begin();
    for (let span = 0; span < events.batch.spanCount; span++) {
      if ((events.categories(span) & (Category.llm | Category.tool)) === 0) continue;
      for (const view of this.#reader.read(events, span)) {
        if (view.endNanos <= latestNanos && this.#add(fresh(view))) this.#journal.view(view);
      }
    }
  }

  /** What is due when event time has come this far, in event order. */
  advance(nanos: bigint): AgentEvent[] {
    const newest = nanos > this.#newest ? nanos : this.#newest;
    if (!this.#store.isFull && (this.#store.size === 0 || newest < this.#lookedNanos + lookEveryNanos)) return [];
    this.#journal.time(newest);
    return this.#look(newest);
  }

  /** Decides everything that waits; remembers nothing afterwards. */
  flush(): AgentEvent[] {
    this.#journal.flush();
    return this.#flush();
  }

  takeJournal(): Uint8Array {
    return this.#journal.take();
  }

  dropJournal(): void {
    this.#journal.drop();
  }

  replay(journal: Uint8Array): void {
    readJournal(journal, {
      view: (view) => this.#add(fresh(view)),
      time: (nanos) => this.#look(nanos),
      flush: () => this.#flush(),
    });
  }

  snapshot(): Uint8Array {
    return wholeOf(this.slices());
  }

  slices(pieceBytes?: number): Slices {
    const { senders, inner } = this.#reader;
    const known = { senders: [...senders], innerScopes: [...inner.known] };
    return writeState({ newest: this.#newest, looked: this.#lookedNanos, ...known }, this.#store, pieceBytes);
  }

  restore(snapshot: Uint8Array): RestoreOutcome {
    const state = readState(snapshot);
    if (state === undefined) return { status: 'unreadable' };
    this.#clear();
    const { senders, inner } = this.#reader;
    senders.clear();
    for (const sender of state.senders) senders.add(sender);
    inner.known.clear();
    for (const scope of state.innerScopes) inner.known.add(scope);
    for (const kept of state.kept) this.#add(kept);
    this.#newest = state.newest;
    this.#lookedNanos = state.looked;
    return { status: 'restored', rules: 0 };
  }

  #add(kept: Keeping): boolean {
    if (!this.#store.add(kept)) return false;
    const { senders, inner } = this.#reader;
    if (isAbove(kept.view) && senders.size < limits.sourcesMax) senders.add(kept.view.service);
    // It waits because that was known; a journal says it by no other word.
    if (kept.view.kind === 'execution' && !kept.view.counts) inner.add(kept.view);
    if (kept.view.endNanos > this.#newest) this.#newest = kept.view.endNanos;
    return true;
  }

  #dueNanos({ kind, endNanos }: CallView): bigint {
    return endNanos + (kind === 'proposed' ? this.#options.openNanos : this.#options.settleNanos);
  }

  #look(newest: bigint): AgentEvent[] {
    if (newest > this.#newest) this.#newest = newest;
    this.#lookedNanos = this.#newest;
    const told = this.#decide(this.#store.due(this.#newest));
    // A view may be asked for as long as one that ended so much later waits.
    const { openNanos, settleNanos } = this.#options;
    this.#store.forget(this.#newest - openNanos - 2n * settleNanos);
    for (const kept of this.#store.all()) {
      if (!this.#store.isFull) break;
      if (kept.isPending) {
        this.counters.hurried++;
        told.push(...this.#decide([kept]));
      }
      this.#store.remove(kept);
    }
    return told;
  }

  #flush(): AgentEvent[] {
    const told = this.#decide([...this.#store.all()].filter(({ isPending }) => isPending));
    this.#clear();
    return told;
  }

  #clear(): void {
    this.#store.clear();
    this.#newest = 0n;
    this.#lookedNanos = 0n;
  }

  #decide(due: Kept[]): AgentEvent[] {
    due.sort((a, b) => {
      const [x, y] = [this.#dueNanos(a.view), this.#dueNanos(b.view)];
      return x === y ? compareViews(a.view, b.view) : x < y ? -1 : 1;
    });
    return due.flatMap((kept) => {
      this.#store.settle(kept);
      return this.#toldOf(kept) ?? [];
    });
  }

  #toldOf(kept: Kept): AgentEvent | AgentEvent[] | undefined {
    const { view } = kept;
    const until = this.#dueNanos(view);
    const near = this.#near(view, until);
    if (view.counts) return this.#executed(view, near);
    if (view.kind === 'execution') return this.#inner(kept, near);
    if (view.kind === 'proposed') return this.#unanswered(view, near, until);
    if (view.kind !== 'answered' || view.name !== '') return this.#counted(view, near);
    const named = namedAnswer(view, near);
    // Where not even the name of the tool is known, no rule of tool calls could tell what was done.
    return named.name === '' && named.callId === '' ? undefined : this.#counted(named, this.#near(named, until));
  }

  /** Views that may be of the same call and ended by then, in event order. */
  #near(view: CallView, until: bigint): Kept[] {
    return this.#store.near(view, view.endNanos - this.#options.openNanos, until);
  }

  /** A view that counts where no other one of its call does. */
  #counted(view: CallView, near: readonly Kept[]): AgentEvent | undefined {
    const over = callOver(view, near);
    if (over !== undefined || (view.kind === 'answered' && earlierAnswer(view, near))) {
      if (over !== undefined) this.#store.claim(over, view.kind);
      this.counters.joined++;
      return undefined;
    }
    this.counters.told++;
    return view.kind === 'answered' ? answeredEvent(view) : spanEvent(view, this.#origin(view, near));
  }

  /** A tool span of which another instrumentation may tell as well. */
  #inner(kept: Kept, near: readonly Kept[]): AgentEvent[] {
    const { view } = kept;
    const over = near.find(({ view: other }) => other.kind === 'execution' && isTwin(other, view));
    if (over === undefined) {
      this.counters.told++;
      const more = this.#executed(view, near);
      if (!view.given.isTold) return [more ?? spanEvent(view, undefined)];
      return more === undefined ? [spanEvent(view, undefined)] : [spanEvent(view, undefined), more];
    }
    this.counters.joined++;
    // A result that says no id is the outer one's.
    this.#store.claim(kept, 'answered');
    const isAlone = view.given.isTold && over.view.callId === '';
    const changed = isAlone ? this.#executed(view, near) : undefined;
    return changed === undefined ? [] : [changed];
  }

  #unanswered(view: CallView, near: readonly Kept[], until: bigint): AgentEvent | undefined {
    if (isAnswered(view, near)) return undefined;
    this.counters.unanswered++;
    return unansweredEvent(view, until);
  }

  /** A span that counted when it came; what is left is what the model's answer says of it. */
  #executed(view: CallView, near: readonly Kept[]): AgentEvent | undefined {
    if (!view.given.isTold) {
      const origin = this.#origin(view, near);
      return origin === undefined || origin.given.value === null ? undefined : spanEvent(view, origin);
    }
    const proposals = proposalsOf(view, near);
    const last = proposals.at(-1);
    if (last === undefined) return undefined;
    if (!view.isWhole || !proposals.every(({ isWhole }) => isWhole)) return undefined;
    if (proposals.some(({ given }) => given.hash === view.given.hash)) return undefined;
    const found = differences(last.given.value, view.given.value);
    if (found.changed.length === 0 && found.added.length === 0) return undefined;
    this.counters.changed++;
    return changedEvent(view, last, found);
  }

  /** The proposal that a call without arguments came of. */
  #origin(view: CallView, near: readonly Kept[]): CallView | undefined {
    if (view.callId !== '') return proposalsOf(view, near).at(-1);
    const origin = originOf(view, near);
    if (origin !== undefined) this.#store.claim(origin, view.kind);
    return origin?.view;
  }
}

/** Tool spans, and spans of clients without anything above them, may have further ones of the same call below. */
function isAbove({ kind, parentSpanId }: CallView): boolean {
  return kind === 'execution' || (kind === 'client' && parentSpanId === '');
}

/** Of a span that counted, with arguments and without an id, there is nothing more to find out. */
function fresh(view: CallView): Keeping {
  const isPending = !view.counts || view.callId !== '' || !view.given.isTold;
  return { view, isPending, claimed: unclaimed };
}

/** One for all: most views are never claimed. */
const unclaimed: Keeping['claimed'] = [];

/** Looking through all that waits is done once in so much event time. */
const lookEveryNanos = 1_000_000_000n;
