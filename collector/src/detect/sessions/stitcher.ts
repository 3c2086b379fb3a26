import type { FieldTable } from '../../model/fields.ts';
import type { Finding } from '../../model/finding.ts';
import type { Session } from '../../model/session.ts';
import { Span } from '../../model/span-batch.ts';
import type { SpanEvents } from '../../model/span-events.ts';
import type { Correlation } from '../correlate/correlation.ts';
import type { CorrelationEvent } from '../correlate/event.ts';
import { digestOf } from '../correlate/event-log.ts';
import { decodeState, encodeState, StateEncoder } from '../correlate/snapshot.ts';
import { Scan, slicesOf, stepsInTurn, stepsOf, wholeOf } from '../slices.ts';
import type { RestoreOutcome, Slices, Stateful } from '../state.ts';
import { type Call, type CallAt, callId, compareCalls, createCallReader } from './call.ts';
import { idOfKey, type SessionRecord, SessionTable, type SessionTableCounters } from './session-table.ts';
import { defaultBounds, type StitcherBounds } from './stitcher-bounds.ts';
import {
  type Head,
  type Item,
  type JournalEntry,
  readSnapshot,
  restoredEvents,
  savedEvent,
  snapshotFormat,
} from './stitcher-state.ts';
import { placeholderOf, type Released, releasedWith, type WaitingCall, WaitingCalls } from './waiting-calls.ts';

export interface StitcherOptions {
  readonly fields: FieldTable;
  readonly correlations: readonly Correlation[];
  /** How long a call waits for the one before it, in event time after its end. */
  readonly waitNanos: bigint;
  readonly bounds?: Partial<StitcherBounds>;
  /** Whether somebody takes the journal. */
  readonly journalled: boolean;
}

/** Counts since the start; sessions, keys and what waits as they are now. */
export interface StitcherStats extends SessionTableCounters {
  readonly sessions: number;
  readonly keys: number;
  readonly waiting: number;
  /** Calls that were given a session although one before them might still have come, because too many waited. */
  readonly hurried: number;
}

interface Decision {
  readonly record: SessionRecord;
  readonly source: Session['source'];
}

/**
 * Puts calls that come in traces of their own into sessions: by the response that a call goes on from, by tool-call ids, by the
 * messages it has in common with a call before it. A call whose forerunner is not known waits for it as long as spans may be late, and
 * what was found on it waits along; so neither arrival nor batches nor a restart decide.
 */
export class Stitcher implements Stateful {
  readonly #options: StitcherOptions;
  readonly #bounds: StitcherBounds;
  readonly #digests: readonly string[];
  readonly #read: (events: SpanEvents) => CallAt[];
  #scan = new Scan<SessionRecord>();
  #table: SessionTable;
  #waiting = new WaitingCalls();
  #hurried = 0;
  #newest = 0n;
  /** Of the batch that is being taken. */
  #batch: readonly CallAt[] = [];
  /** Sessions that became known with it. */
  readonly #decided = new Map<string, Session>();
  #released: Released[] = [];
  #links: (readonly [string, string])[] = [];
  /** What was held in this batch, by call. */
  readonly #holding = new Map<string, { findings: Finding[]; events: WaitingCall['events'] }>();
  #journal: JournalEntry[] = [];

  constructor(options: StitcherOptions) {
    this.#options = options;
    this.#bounds = { ...defaultBounds, ...options.bounds };
    this.#digests = options.correlations.map(({ meta }) => digestOf(meta.id, meta.version));
    this.#read = createCallReader(options.fields);
    this.#table = new SessionTable(this.#scan, options.bounds);
  }

  /** Takes the calls of a batch, before its rules run; afterwards its spans know their sessions. */
  stitch(events: SpanEvents): void {
    this.#decided.clear();
    this.#batch = this.#read(events);
    if (this.#batch.length === 0) return;
    const noted: Call[] = [];
    for (const { call } of this.#batch) this.#arrive(call, noted);
    if (this.#options.journalled) this.#journal.push({ calls: noted });
    events.sessions = this.#sessionsOf((call) => ({ id: placeholderOf(call), source: sourceOf(call) }));
  }

  /** True when the session of its span is not known: the finding comes out of `settle` then. */
  holdsFinding(finding: Finding): boolean {
    const waiting = this.#waiting.of(finding);
    if (waiting === undefined) return false;
    this.#holdingOf(waiting).findings.push(finding);
    return true;
  }

  holdsEvent(event: CorrelationEvent, nowNanos: bigint | undefined): boolean {
    const waiting = this.#waiting.of(event.span);
    if (waiting === undefined) return false;
    this.#holdingOf(waiting).events.push({ event, nowNanos });
    return true;
  }

  /**
   * What is due when event time has come as far as the batch, or `eventNanos`, but for a batch no further than `nowNanos`. To be called
   * after the rules and before correlations settle. Rows are then told what is known of spans that wait on.
   */
  settle(events: SpanEvents | undefined, nowNanos: bigint | undefined, eventNanos = 0n): Released[] {
    if (this.#batch.length === 0 && this.#waiting.size === 0) return this.#takeReleased();
    this.#noteHeld();
    let newest = eventNanos;
    if (events) for (const nanos of endsOf(events)) if (nanos > newest) newest = nanos;
    if (events && nowNanos !== undefined && newest > nowNanos) newest = nowNanos;
    if (newest > this.#newest) this.#newest = newest;
    this.#noteSettled();
    this.#settle();
    if (events && this.#batch.length > 0) events.sessions = this.#sessionsOf((call) => this.#guess(call));
    this.#batch = [];
    return this.#takeReleased();
  }

  /** Decides everything with what is known, and starts anew. */
  flush(): Released[] {
    const isIdle = this.#newest === 0n && this.#table.size === 0 && this.#waiting.size === 0;
    if (this.#options.journalled && !isIdle) this.#journal.push({ flush: true });
    this.#flush();
    return this.#takeReleased();
  }

  /** Ids of traces and sessions that turned out to be of one session, since the last call. */
  takeLinks(): (readonly [string, string])[] {
    const links = this.#links;
    this.#links = [];
    return links;
  }

  stats(): StitcherStats {
    const { counters, size, keys } = this.#table;
    return { ...counters, sessions: size, keys, waiting: this.#waiting.size, hurried: this.#hurried };
  }

  takeJournal(): Uint8Array {
    if (this.#journal.length === 0) return new Uint8Array();
    const journal = encodeState(this.#journal);
    this.#journal = [];
    return journal;
  }

  dropJournal(): void {
    this.#journal = [];
  }

  replay(journal: Uint8Array): void {
    if (journal.length === 0) return;
    for (const entry of decodeState(journal) as JournalEntry[]) {
      if ('calls' in entry) for (const call of entry.calls) this.#arrive(call, []);
      else if ('held' in entry)
        this.#waiting.hold(entry.held, entry.findings, restoredEvents(entry.events, this.#digests));
      else if ('settled' in entry) {
        this.#newest = entry.settled;
        this.#settle();
      } else this.#flush();
    }
    this.#decided.clear();
    this.#released = [];
    this.#links = [];
  }

  snapshot(): Uint8Array {
    return wholeOf(this.slices());
  }

  slices(pieceBytes?: number): Slices {
    const encoder = new StateEncoder();
    const write = (item: Item): void => encoder.write(item);
    encoder.write({ format: snapshotFormat, newest: this.#newest } satisfies Head);
    const waiting = [...this.#waiting.all()].map(({ call, findings, events }) => ({
      ...{ call, findings: [...findings] },
      events: events.map((event) => savedEvent(event, this.#digests)),
    }));
    const steps = stepsInTurn([
      this.#scan.begin(this.#table.all(), ({ scan: _, ...session }) => write({ session })),
      stepsOf(waiting, (each) => write({ waiting: each })),
    ]);
    return slicesOf(encoder, steps, pieceBytes);
  }

  restore(snapshot: Uint8Array): RestoreOutcome {
    const read = readSnapshot(snapshot, this.#digests);
    if (read === undefined) return { status: 'unreadable' };
    this.#clear();
    this.#newest = read.newest;
    for (const record of read.sessions) this.#table.restore(record);
    for (const waiting of read.waiting) this.#waiting.add(waiting);
    return { status: 'restored', rules: 0 };
  }

  /** Sessions do not hang on rules; only events that wait name correlations. */
  takeOver(earlier: Stateful): RestoreOutcome | undefined {
    if (!(earlier instanceof Stitcher)) return undefined;
    this.#scan = earlier.#scan;
    this.#table = earlier.#table;
    this.#waiting = earlier.#waiting;
    this.#newest = earlier.#newest;
    this.#hurried = earlier.#hurried;
    this.#links = earlier.#links;
    this.#waiting.exchangeEvents((events) => {
      const saved = events.map((event) => savedEvent(event, earlier.#digests));
      return restoredEvents(saved, this.#digests);
    });
    return { status: 'restored', rules: 0 };
  }

  /** Calls in event order. Of one that is decided only that is noted which is new: later calls of a session repeat its keys. */
  #arrive(call: Call, noted: Call[]): void {
    if (this.#waiting.of(call)) return;
    const decision = this.#known(call);
    if (decision) noted.push({ ...call, before: call.before.slice(0, 1), shown: this.#decide(call, decision) });
    else {
      noted.push(call);
      this.#waiting.add({ call, findings: [], events: [] });
    }
  }

  /** The session of a call, when nothing that may still come can change it. */
  #known(call: Call): Decision | undefined {
    const [first] = call.before;
    if (first === undefined) return call.prefixes.length > 0 ? undefined : this.#opening(call);
    if (first.source === 'trace' && this.#waiting.hasOf(first.key)) return undefined;
    const record = this.#table.find(first.key, call);
    return record && { record, source: first.source };
  }

  /** The session of a call when no other will come before it. */
  #concluded(call: Call): Decision {
    const known = this.#found(call);
    if (known) return known;
    const [first] = call.before;
    if (first === undefined || first.source === 'trace') return this.#opening(call);
    return { record: this.#table.open(idOfKey(first.key), first.key), source: first.source };
  }

  #found(call: Call): Decision | undefined {
    for (const { source, key } of call.before) {
      const record = this.#table.find(key, call);
      if (record) return { record, source };
    }
    for (const hash of call.prefixes) {
      const record = this.#table.findWhole(hash, call);
      if (record) return { record, source: 'prefix' };
    }
    return undefined;
  }

  /** The first call of a session, or more of what is told of it: log records bring the content of a span later. */
  #opening(call: Call): Decision {
    const { first, traceId, own } = call;
    const same = this.#table.find(own, call);
    if (first === '') return { record: same ?? this.#table.open(traceId, ''), source: 'trace' };
    const known = this.#table.find(first, call);
    // The same call once more is told as it was.
    if (same && same.id !== known?.id) return { record: same, source: 'trace' };
    return { record: known ?? this.#table.open(idOfKey(first), first), source: 'tool_call' };
  }

  /** What is known of a call that waits, without deciding it. */
  #guess(call: Call): Session {
    const found = this.#found(call);
    if (found) return { id: found.record.id, source: found.source };
    const first = call.before.find(({ source }) => source !== 'trace')?.key ?? call.first;
    return first === '' ? { id: call.traceId, source: 'trace' } : { id: idOfKey(first), source: sourceOf(call) };
  }

  /** The call is one of the session; those that waited for what it shows are, too. Gives its keys that were not known. */
  #decide(first: Call, decision: Decision): readonly string[] {
    const queue: (readonly [Call, Decision])[] = [[first, decision]];
    let own: readonly string[] | undefined;
    for (let next = queue.shift(); next; next = queue.shift()) {
      const [call, { record, source }] = next;
      const session: Session = { id: record.id, source };
      const { fresh, others } = this.#table.add(record, call);
      own ??= fresh;
      this.#decided.set(callId(call), session);
      if (session.id !== call.traceId) this.#links.push([call.traceId, session.id]);
      for (const other of others) this.#links.push([session.id, other.id]);
      for (const waiting of fresh.flatMap((key) => this.#waiting.waitingFor(key))) {
        const known = this.#waiting.of(waiting.call) && this.#known(waiting.call);
        if (!known) continue;
        this.#release(waiting, { id: known.record.id, source: known.source });
        queue.push([waiting.call, known]);
      }
    }
    return own ?? [];
  }

  #release(waiting: WaitingCall, session: Session): void {
    this.#waiting.remove(waiting);
    if (waiting.findings.length + waiting.events.length > 0) this.#released.push(releasedWith(waiting, session));
  }

  #settle(): void {
    const { waitingMax, heldMax } = this.#bounds;
    const due = this.#newest - this.#options.waitNanos;
    const isFull = this.#waiting.size > waitingMax || this.#waiting.held > heldMax;
    const waiting = [...this.#waiting.all()].filter(({ call }) => isFull || call.endNanos <= due);
    for (const each of waiting.sort((a, b) => compareCalls(a.call, b.call))) {
      const isDue = each.call.endNanos <= due;
      if (!isDue && this.#waiting.size <= waitingMax && this.#waiting.held <= heldMax) break;
      // One before it may have taken it along.
      if (!this.#waiting.of(each.call)) continue;
      if (!isDue) this.#hurried++;
      this.#conclude(each);
    }
    this.#table.forgetBefore(due);
  }

  #conclude(waiting: WaitingCall): void {
    const decision = this.#concluded(waiting.call);
    this.#release(waiting, { id: decision.record.id, source: decision.source });
    this.#decide(waiting.call, decision);
  }

  #flush(): void {
    for (const each of [...this.#waiting.all()].sort((a, b) => compareCalls(a.call, b.call))) {
      if (this.#waiting.of(each.call)) this.#conclude(each);
    }
    this.#clear();
  }

  #clear(): void {
    this.#waiting.clear();
    this.#table.clear();
    this.#decided.clear();
    this.#batch = [];
    this.#newest = 0n;
  }

  #sessionsOf(unknown: (call: Call) => Session): ReadonlyMap<number, Session> {
    const sessions = new Map<number, Session>();
    for (const { span, call } of this.#batch) {
      const session = this.#decided.get(callId(call)) ?? unknown(call);
      // That of its trace is what a span has anyway.
      if (session.id !== call.traceId) sessions.set(span, session);
    }
    return sessions;
  }

  #holdingOf({ call }: WaitingCall): { findings: Finding[]; events: WaitingCall['events'] } {
    const id = callId(call);
    const known = this.#holding.get(id) ?? { findings: [], events: [] };
    this.#holding.set(id, known);
    return known;
  }

  #noteHeld(): void {
    for (const [id, { findings, events }] of this.#holding) {
      if (this.#options.journalled) {
        const saved = events.map((event) => savedEvent(event, this.#digests));
        this.#journal.push({ held: id, findings, events: saved });
      }
      this.#waiting.hold(id, findings, events);
    }
    this.#holding.clear();
  }

  /** One after the other is as good as the last of them. */
  #noteSettled(): void {
    if (!this.#options.journalled) return;
    const last = this.#journal.at(-1);
    if (last !== undefined && 'settled' in last) this.#journal.pop();
    this.#journal.push({ settled: this.#newest });
  }

  #takeReleased(): Released[] {
    const released = this.#released;
    this.#released = [];
    return released;
  }
}

/** By what a call says of itself. */
function sourceOf({ before, prefixes, first }: Call): Session['source'] {
  return before[0]?.source ?? (prefixes.length > 0 ? 'prefix' : first === '' ? 'trace' : 'tool_call');
}

function* endsOf({ batch }: SpanEvents): Generator<bigint> {
  for (let span = 0; span < batch.spanCount; span++) {
    const end = batch.spans[span * Span.stride + Span.end]!;
    if (end >= 0) yield batch.nanos(end);
  }
}
