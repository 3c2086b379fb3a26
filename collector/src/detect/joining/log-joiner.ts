import { type AgentEvent, joinKeys, type NamedValue } from '../../model/agent-event.ts';
import type { FieldId, FieldTable } from '../../model/fields.ts';
import { limits } from '../../model/limits.ts';
import { Category, type SpanEvents } from '../../model/span-events.ts';
import { valueText } from '../../model/value.ts';
import type { RestoreOutcome, Stateful } from '../state.ts';
import { type StateBounds, stateBounds } from '../state-bounds.ts';
import { packed, unpacked } from './event-json.ts';
import { joinedEvent } from './joined-event.ts';
import { hasContent, spanAsEvent } from './span-as-event.ts';

export interface JoinerOptions {
  readonly fields: FieldTable;
  /** How long after the newest part of something that is over further parts are waited for, in nanoseconds of event time. */
  readonly settleNanos: bigint;
  /** The same while nothing says that it is over, or no span of it has come. */
  readonly openNanos: bigint;
  readonly bounds?: StateBounds['joining'];
}

/** Counts since the start. */
export interface JoinerCounters {
  /** Events told together with their span. */
  joined: number;
  /** Events told without a span, because none came. */
  alone: number;
  /** Events that added nothing, because the span has its content itself. */
  covered: number;
  /** Things told before their time, because too many waited. */
  hurried: number;
}

interface Waiting {
  /** All keys it is known by. */
  readonly keys: string[];
  span?: AgentEvent;
  /** When a span ended that has its content itself. */
  coveredNanos?: bigint;
  readonly parts: AgentEvent[];
  chars: number;
}

/**
 * Joins what log records tell to the span that it is about: by trace context, response id or tool-call id, in any order of arrival,
 * within a window of event time. What comes of it is one event with the attributes of the span and the content of the records, under
 * the ids and times of the span, so that rules and correlations take both for one.
 *
 * Nothing is told twice: parts wait until the window is over. Records that stand alone do not wait.
 */
export class LogJoiner implements Stateful {
  readonly counters: JoinerCounters = { joined: 0, alone: 0, covered: 0, hurried: 0 };
  readonly #options: JoinerOptions;
  readonly #bounds: StateBounds['joining'];
  readonly #service: FieldId;
  readonly #waiting = new Map<string, Waiting>();
  #newest = 0n;
  #nextDue: bigint | undefined;
  #lookedNanos = 0n;
  /**
   * Services whose records have asked for spans. Spans of others are left alone, so that nobody pays for records that never come; the
   * price is that the first records of a service may miss a span that came before them, and are judged alone.
   */
  readonly #senders = new Set<string>();
  #chars = 0;
  #journal: string[] = [];

  constructor(options: JoinerOptions) {
    this.#options = options;
    this.#bounds = options.bounds ?? stateBounds(1).joining;
    this.#service = options.fields.intern('service.name');
  }

  get size(): number {
    return new Set(this.#waiting.values()).size;
  }

  /** How far event time has come by what was told to it. */
  get newestNanos(): bigint {
    return this.#newest;
  }

  /** Notes the spans that records may be about. To be called while the batch is valid. */
  spans(events: SpanEvents): void {
    if (this.#senders.size === 0) return;
    for (let span = 0; span < events.batch.spanCount; span++) {
      if ((events.categories(span) & (Category.llm | Category.tool)) === 0) continue;
      if (!this.#isSender(valueText(events.value(span, this.#service) ?? ''))) continue;
      const covered = hasContent(events, span, this.#options.fields);
      const event = spanAsEvent(events, span, this.#options.fields, covered);
      if (covered) this.#takeCovered({ keys: keysOf(event), endNanos: event.endNanos });
      else this.#take('s', event);
    }
  }

  /**
   * Takes in what records tell.
   * @param latestNanos event time further ahead does not move the window: a clock may be wrong.
   * @returns those that stand alone.
   */
  logs(events: readonly AgentEvent[], latestNanos: bigint): AgentEvent[] {
    const alone: AgentEvent[] = [];
    for (const event of events) {
      if (event.joinKey === '') alone.push(event);
      else this.#take('l', event);
      if (event.endNanos > this.#newest && event.endNanos <= latestNanos) this.#newest = event.endNanos;
    }
    return alone;
  }

  /** What is due when event time has come this far, in its order. */
  advance(nanos: bigint): AgentEvent[] {
    if (nanos > this.#newest) this.#newest = nanos;
    const isFull = this.#isFull();
    const isSoon = this.#newest < this.#lookedNanos + lookEveryNanos;
    if (!isFull && (isSoon || this.#nextDue === undefined || this.#newest < this.#nextDue)) return [];
    this.#journal.push(packed(['t', this.#newest]));
    return this.#due();
  }

  /** Everything that waits. */
  flush(): AgentEvent[] {
    this.#journal.push(packed(['f']));
    return this.#flush();
  }

  takeJournal(): Uint8Array {
    if (this.#journal.length === 0) return empty;
    const bytes = Buffer.from(`${this.#journal.join('\n')}\n`);
    this.#journal = [];
    return bytes;
  }

  dropJournal(): void {
    this.#journal = [];
  }

  replay(journal: Uint8Array): void {
    for (const line of Buffer.from(journal).toString('utf8').split('\n')) {
      if (line === '') continue;
      const [kind, value] = unpacked(line) as Entry;
      if (kind === 'f') this.#flush();
      else if (kind === 't') {
        if (value > this.#newest) this.#newest = value;
        this.#due();
      } else if (kind === 'c') this.#addCovered(value);
      else this.#add(kind, value);
    }
  }

  snapshot(): Uint8Array {
    const waiting = [...new Set(this.#waiting.values())];
    return Buffer.from(packed({ version: 2, newest: this.#newest, senders: [...this.#senders], waiting }));
  }

  restore(snapshot: Uint8Array): RestoreOutcome {
    let state: { version: number; newest: bigint; senders: string[]; waiting: Waiting[] };
    try {
      state = unpacked(Buffer.from(snapshot).toString('utf8')) as typeof state;
    } catch {
      return { status: 'unreadable' };
    }
    if (state.version !== 2) return { status: 'unreadable' };
    this.#flush();
    this.#newest = state.newest;
    this.#senders.clear();
    for (const sender of state.senders) this.#senders.add(sender);
    for (const each of state.waiting) {
      for (const key of each.keys) this.#waiting.set(key, each);
      this.#chars += each.chars;
      this.#noteDue(each);
    }
    return { status: 'restored', rules: 0 };
  }

  /** Past the bound everybody counts as one. */
  #isSender(service: string): boolean {
    return this.#senders.has(service) || this.#senders.size >= limits.sourcesMax;
  }

  #take(kind: 's' | 'l', event: AgentEvent): void {
    this.#journal.push(packed([kind, event]));
    this.#add(kind, event);
  }

  /** A span with its content on it needs no records; only its keys are kept, for those that come. */
  #takeCovered(covered: Covered): void {
    this.#journal.push(packed(['c', covered]));
    this.#addCovered(covered);
  }

  #addCovered({ keys, endNanos }: Covered): void {
    const waiting = this.#under(keys, 64);
    if (waiting.coveredNanos === undefined || endNanos > waiting.coveredNanos) waiting.coveredNanos = endNanos;
    this.#noteDue(waiting);
  }

  #add(kind: 's' | 'l', event: AgentEvent): void {
    if (kind === 'l' && this.#senders.size < limits.sourcesMax) this.#senders.add(serviceOf(event));
    const waiting = this.#under(kind === 'l' ? [event.joinKey] : keysOf(event), charsOf(event));
    if (kind === 's') waiting.span ??= event;
    else if (waiting.parts.length < limits.logJoinPartsMax) waiting.parts.push(event);
    this.#noteDue(waiting);
  }

  /** What waits under any of the keys, as one from now on. */
  #under(keys: readonly string[], chars: number): Waiting {
    const found = new Set(keys.flatMap((key) => this.#waiting.get(key) ?? []));
    const [into = { keys: [], parts: [], chars: 0 }, ...others] = found;
    // Parts that nobody knew to be about one thing, until a span came with the keys of both.
    for (const other of others) {
      into.keys.push(...other.keys);
      into.parts.push(...other.parts);
      into.chars += other.chars;
      if (other.span) into.span ??= other.span;
      if (other.coveredNanos !== undefined) into.coveredNanos ??= other.coveredNanos;
    }
    into.chars += chars;
    this.#chars += chars;
    into.keys.push(...keys.filter((key) => !into.keys.includes(key)));
    for (const key of into.keys) this.#waiting.set(key, into);
    return into;
  }

  #noteDue(waiting: Waiting): void {
    const due = this.#dueNanos(waiting);
    if (this.#nextDue === undefined || due < this.#nextDue) this.#nextDue = due;
  }

  #dueNanos({ span, coveredNanos, parts }: Waiting): bigint {
    let latest = span?.endNanos ?? coveredNanos ?? 0n;
    for (const { endNanos } of parts) if (endNanos > latest) latest = endNanos;
    const isOver = span !== undefined || coveredNanos !== undefined || parts.some(({ final }) => final);
    return latest + (isOver ? this.#options.settleNanos : this.#options.openNanos);
  }

  #isFull(): boolean {
    return this.#waiting.size > this.#bounds.waitingMax || this.#chars > this.#bounds.charsMax;
  }

  #due(): AgentEvent[] {
    const told: AgentEvent[] = [];
    this.#lookedNanos = this.#newest;
    this.#nextDue = undefined;
    for (const each of new Set(this.#waiting.values())) {
      const isHurried = this.#isFull();
      if (this.#dueNanos(each) <= this.#newest || isHurried) {
        if (this.#dueNanos(each) > this.#newest) this.counters.hurried++;
        this.#tell(each, told);
      } else this.#noteDue(each);
    }
    return inOrder(told);
  }

  #flush(): AgentEvent[] {
    const told: AgentEvent[] = [];
    for (const each of new Set(this.#waiting.values())) this.#tell(each, told);
    this.#nextDue = undefined;
    return inOrder(told);
  }

  #tell(waiting: Waiting, told: AgentEvent[]): void {
    for (const key of waiting.keys) this.#waiting.delete(key);
    this.#chars -= waiting.chars;
    if (waiting.parts.length === 0) return;
    if (waiting.coveredNanos !== undefined) {
      this.counters.covered += waiting.parts.length;
      return;
    }
    this.counters[waiting.span === undefined ? 'alone' : 'joined'] += waiting.parts.length;
    told.push(joinedEvent(waiting.span, waiting.parts));
  }
}

interface Covered {
  readonly keys: readonly string[];
  readonly endNanos: bigint;
}

type Entry =
  | readonly ['s' | 'l', AgentEvent]
  | readonly ['c', Covered]
  | readonly ['t', bigint]
  | readonly ['f', undefined];

const empty = new Uint8Array(0);
/** Looking through all that waits is done once in so much event time. */
const lookEveryNanos = 1_000_000_000n;

function serviceOf({ resource }: AgentEvent): string {
  return valueText(resource.findLast(([name]) => name === 'service.name')?.[1] ?? '');
}

/** The keys of a span: its own, and those of the response and the call that it says. */
function keysOf(span: AgentEvent): string[] {
  const text = (pairs: readonly NamedValue[], name: string) =>
    valueText(pairs.findLast(([each]) => each === name)?.[1] ?? '');
  const response = text(span.attributes, 'gen_ai.response.id');
  const call = text(span.attributes, 'gen_ai.tool.call.id');
  const conversation = text(span.attributes, 'gen_ai.conversation.id');
  return [
    joinKeys.span(span.traceId, span.spanId),
    ...(response === '' ? [] : [joinKeys.response(response)]),
    ...(call === '' ? [] : [joinKeys.call(text(span.resource, 'service.name'), conversation, call)]),
  ];
}

function charsOf({ attributes }: AgentEvent): number {
  let chars = 256;
  for (const [name, value] of attributes) chars += name.length + (typeof value === 'string' ? value.length : 16);
  return chars;
}

function inOrder(events: AgentEvent[]): AgentEvent[] {
  return events.sort((a, b) =>
    a.endNanos === b.endNanos
      ? `${a.traceId}${a.spanId}` < `${b.traceId}${b.spanId}`
        ? -1
        : 1
      : a.endNanos < b.endNanos
        ? -1
        : 1,
  );
}
