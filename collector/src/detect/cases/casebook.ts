import type { Case } from '../../model/case.ts';
import type { Finding } from '../../model/finding.ts';
import { limits } from '../../model/limits.ts';
import { severityId } from '../../model/severity.ts';
import { decodeState, encodeState, StateEncoder } from '../correlate/snapshot.ts';
import { Scan, slicesOf, stepsInTurn, stepsOf, wholeOf } from '../slices.ts';
import type { RestoreOutcome, Slices, Stateful } from '../state.ts';
import {
  emptyState,
  entryOf,
  type Head,
  type Item,
  itemOf,
  type JournalEntry,
  readSnapshot,
  type SavedEntry,
  type State,
  savedEntry,
  snapshotFormat,
} from './casebook-state.ts';
import { addSighting, type CaseRecord, caseOf, emptyRecord, laterId, leaderOf, mergeRecords, rank } from './record.ts';
import { severityOf } from './severity.ts';
import { type Sighting, sightingOf } from './sighting.ts';
import { type Tie, Ties } from './ties.ts';

export interface CasebookBounds {
  readonly casesMax: number;
  readonly findingsMax: number;
  readonly chainsPerCaseMax: number;
  readonly keysPerCaseMax: number;
  readonly keysMax: number;
  readonly tiesMax: number;
}

export interface CasebookCounters {
  /** Cases that were written for the first time. */
  opened: number;
  /** Cases that became part of another. */
  merged: number;
  /** Cases let go because there were too many. */
  evicted: number;
  /** Shared values that joined nothing because the case had too many sessions. */
  unjoined: number;
  /** Traces and values that no longer lead to the case they were in, as it has too many. */
  forgottenKeys: number;
}

/**
 * Makes cases of findings that belong together: of one session, of traces that are tied, or with a specific value in
 * common. What cases there are in the end, under which ids, does not depend on the order of arrival. A case is given out
 * when it opens, when its level rises, when a rule joins it or when it merges; other growth at a bounded rate of event
 * time. Findings below `medium` open no case; they wait for one.
 */
export class Casebook implements Stateful {
  readonly counters: CasebookCounters = { opened: 0, merged: 0, evicted: 0, unjoined: 0, forgottenKeys: 0 };
  readonly #bounds: CasebookBounds;
  readonly #ties: Ties;
  readonly #scan = new Scan<CaseRecord>();
  #state: State = emptyState();
  /** Records that changed in this call, and whether people should hear of it at once. */
  readonly #touched = new Map<CaseRecord, boolean>();
  #journal: JournalEntry[] = [];
  /** The last entry of the journal did nothing but move the clock on. */
  #isQuiet = false;

  constructor(bounds: Partial<CasebookBounds> = {}) {
    this.#bounds = { ...defaultBounds, ...bounds };
    this.#ties = new Ties(this.#bounds.tiesMax);
  }

  /** Cases that are remembered, and findings in them. */
  get size(): { readonly cases: number; readonly findings: number } {
    return { cases: this.#state.records.size, findings: this.#state.findings };
  }

  /** Takes findings and what is known to belong together; gives the cases whose rows are to be written. */
  take(findings: readonly Finding[], ties: readonly Tie[] = [], eventNanos = 0n): Case[] {
    return this.#perform({
      sightings: findings.map(sightingOf),
      ties: ties.filter((tie) => this.#ties.add(tie)),
      eventNanos,
    });
  }

  /** Cases whose time has come when event time has come this far. */
  advance(eventNanos: bigint): Case[] {
    return this.#perform({ eventNanos });
  }

  /** Every change that waits for its time. */
  flush(): Case[] {
    return this.#perform({ flush: true });
  }

  takeJournal(): Uint8Array {
    if (this.#journal.length === 0) return new Uint8Array();
    const journal = encodeState(this.#journal.map(savedEntry));
    this.#journal = [];
    this.#isQuiet = false;
    return journal;
  }

  replay(journal: Uint8Array): void {
    if (journal.length === 0) return;
    for (const saved of decodeState(journal) as SavedEntry[]) {
      const entry = entryOf(saved);
      for (const tie of entry.ties ?? []) this.#ties.add(tie);
      this.#run(entry);
    }
  }

  snapshot(): Uint8Array {
    return wholeOf(this.slices());
  }

  slices(pieceBytes?: number): Slices {
    const { newest, version, tidied, turns, retired, records, index } = this.#state;
    const encoder = new StateEncoder();
    const write = (item: Item): void => encoder.write(item);
    encoder.write({ format: snapshotFormat, newest, version, tidied, turns } satisfies Head);
    const steps = stepsInTurn([
      this.#scan.begin(records, (record) => write(itemOf(record, index))),
      stepsOf([...retired], (each) => write({ retired: each })),
      stepsOf(this.#ties.list(), (tie) => write({ tie })),
    ]);
    return slicesOf(encoder, steps, pieceBytes);
  }

  restore(snapshot: Uint8Array): RestoreOutcome {
    const read = readSnapshot(snapshot);
    if (read === undefined) return { status: 'unreadable' };
    this.#scan.cancel();
    this.#state = read.state;
    this.#ties.restore(read.ties);
    this.#journal = [];
    this.#isQuiet = false;
    return { status: 'restored', rules: read.state.records.size };
  }

  #perform(entry: JournalEntry): Case[] {
    const isIdle = !entry.sightings?.length && !entry.ties?.length && !entry.flush;
    const moved = (entry.eventNanos ?? 0n) > this.#state.newest;
    if (isIdle && !moved) return [];
    const cases = this.#run(entry);
    // Of calls that only move the clock on the last stands for all.
    const isQuiet = isIdle && cases.length === 0;
    if (isQuiet && this.#isQuiet) this.#journal.pop();
    this.#isQuiet = isQuiet;
    this.#journal.push(entry);
    return cases;
  }

  #run({ sightings = [], ties = [], eventNanos = 0n, flush = false }: JournalEntry): Case[] {
    const state = this.#state;
    if (eventNanos > state.newest) state.newest = eventNanos;
    for (const tie of ties) this.#hold(tie);
    for (const sighting of sightings) this.#add(sighting);
    this.#evict();
    this.#forget();
    const given: Case[] = [];
    for (const [record, urgent] of this.#touched) {
      if (!state.records.has(record)) continue;
      if (urgent && this.#isNews(record)) this.#giveOut(record, given);
      else if (record.written.size > 0 && record.dueNanos === 0n) record.dueNanos = state.newest + wait(record.given);
    }
    this.#touched.clear();
    for (const record of state.records) {
      if (record.dueNanos > 0n && (flush || record.dueNanos <= state.newest)) this.#giveOut(record, given);
    }
    return given;
  }

  #add(sighting: Sighting): void {
    const state = this.#state;
    const record = this.#joined(sighting) ?? emptyRecord(this.#scan.number);
    this.#scan.changing(record);
    const size = record.findings.size;
    const isNew = addSighting(record, sighting);
    state.findings += record.findings.size - size;
    for (const key of sighting.keys) this.#lead(key, record, sighting);
    this.#forgetKeys(record);
    this.#touch(record, isNew);
  }

  /** The one case that the keys of a finding lead to, several made one. */
  #joined({ keys, timeNanos, chainId }: Sighting): CaseRecord | undefined {
    const hits = new Map<CaseRecord, boolean>();
    for (const key of this.#ties.expand(keys)) {
      const place = this.#state.index.get(key);
      const window = key.startsWith('v:') ? valueWindowNanos : sessionWindowNanos;
      if (!place || timeNanos > place.lastNanos + window || timeNanos + window < place.firstNanos) continue;
      hits.set(place.record, hits.get(place.record) === true || !key.startsWith('v:'));
    }
    // The session first: what only shares a value may find the case full.
    const [first, ...others] = [...hits].sort(([, a], [, b]) => Number(b) - Number(a));
    if (!first) return undefined;
    const isFull = (record: CaseRecord, more: number): boolean =>
      record.chains.size + more > this.#bounds.chainsPerCaseMax;
    if (!first[1] && !first[0].chains.has(chainId) && isFull(first[0], 1)) {
      this.counters.unjoined++;
      return undefined;
    }
    for (const [record, ofSession] of others) {
      if (!ofSession && isFull(first[0], record.chains.size)) this.counters.unjoined++;
      else this.#merge(first[0], record);
    }
    return first[0];
  }

  /** Two keys turned out to be of one story. */
  #hold([a, b]: Tie): void {
    const { index } = this.#state;
    // As almost all: neither leads to a case, and nothing else is tied to them.
    if (this.#ties.isAlone([a, b]) && !(index.has(a) && index.has(b))) return;
    const records = new Set(this.#ties.expand([a, b]).flatMap((key) => index.get(key)?.record ?? []));
    const [first, ...others] = records;
    for (const record of others) this.#merge(first!, record);
  }

  #merge(into: CaseRecord, from: CaseRecord): void {
    const state = this.#state;
    this.#scan.changing(into);
    this.#scan.changing(from);
    const size = into.findings.size + from.findings.size;
    if (into.written.size > 0 && from.written.size > 0) this.counters.merged++;
    mergeRecords(into, from);
    state.findings += into.findings.size - size;
    for (const key of from.keys) {
      const place = state.index.get(key);
      if (place) place.record = into;
    }
    this.#forgetKeys(into);
    state.records.delete(from);
    this.#touched.delete(from);
    this.#touch(into, true);
  }

  #lead(key: string, record: CaseRecord, { timeNanos, lastSeenNanos }: Sighting): void {
    const { index } = this.#state;
    const place = index.get(key);
    record.keys.add(key);
    if (!place || place.record !== record) {
      if (place) {
        this.#scan.changing(place.record);
        place.record.keys.delete(key);
      }
      index.set(key, { record, firstNanos: timeNanos, lastNanos: lastSeenNanos });
      return;
    }
    if (timeNanos < place.firstNanos) place.firstNanos = timeNanos;
    if (lastSeenNanos > place.lastNanos) place.lastNanos = lastSeenNanos;
  }

  /** A session without end must not take all room: what leads to its case from long ago is forgotten. */
  #forgetKeys({ keys }: CaseRecord): void {
    for (const key of keys) {
      if (keys.size <= this.#bounds.keysPerCaseMax) return;
      keys.delete(key);
      this.#state.index.delete(key);
      this.counters.forgottenKeys++;
    }
  }

  /** The records stand in the order in which they were touched. */
  #touch(record: CaseRecord, urgent: boolean): void {
    const { records, newest } = this.#state;
    record.touchedNanos = newest;
    record.turn = ++this.#state.turns;
    records.delete(record);
    records.add(record);
    this.#touched.set(record, urgent || this.#touched.get(record) === true);
  }

  /** The case opens, rises, has another id, or another rule has joined it. */
  #isNews(record: CaseRecord): boolean {
    const level = rank(severityOf([...record.findings.values()]).level);
    if (record.written.size === 0) return level >= opensAt;
    const rules = new Set([...record.findings.values()].map(({ ruleId }) => ruleId)).size;
    const id = this.#idOf(record);
    const moved = !record.written.has(id) || [...record.written].some(([own, to]) => to !== (own === id ? '' : id));
    return level > rank(record.alerted) || rules > record.rules || moved;
  }

  #giveOut(record: CaseRecord, given: Case[]): void {
    const state = this.#state;
    this.#scan.changing(record);
    const id = this.#idOf(record);
    state.version = state.version + 1n > state.newest ? state.version + 1n : state.newest;
    const level = severityOf([...record.findings.values()]).level;
    if (record.written.size === 0) this.counters.opened++;
    const alerted = rank(level) > rank(record.alerted);
    if (alerted) {
      record.alerted = level;
      record.alertSeq++;
    }
    record.given++;
    record.dueNanos = 0n;
    const row = caseOf(record, id, state.version, alerted);
    record.rules = row.votes.length;
    given.push(row);
    record.written.set(id, '');
    for (const [other, target] of record.written) {
      if (other === id || target === id) continue;
      const day = record.chains.get(other)?.day ?? row.day;
      given.push({ ...row, id: other, day, mergedInto: id, alerted: false });
      record.written.set(other, id);
    }
  }

  #idOf(record: CaseRecord): string {
    const { chainId } = leaderOf(record);
    return laterId(chainId, this.#state.retired.get(chainId)?.generation ?? 0);
  }

  #evict(): void {
    const { records, index } = this.#state;
    const { casesMax, findingsMax, keysMax } = this.#bounds;
    const isFull = (): boolean => this.#state.findings > findingsMax || index.size > keysMax;
    while (records.size > casesMax || (isFull() && records.size > 1)) {
      const [stalest] = records;
      this.#drop(stalest!, true);
      this.counters.evicted++;
    }
  }

  /** Once a minute of event time: lets go of what nothing can join any more. */
  #forget(): void {
    const state = this.#state;
    if (state.newest < state.tidied + minuteNanos) return;
    state.tidied = state.newest - (state.newest % minuteNanos);
    for (const record of state.records) {
      if (record.touchedNanos + sessionWindowNanos >= state.newest) break;
      this.#drop(record, false);
    }
    for (const [key, { record, lastNanos }] of state.index) {
      if (!key.startsWith('v:') || lastNanos + 2n * valueWindowNanos >= state.newest) continue;
      this.#scan.changing(record);
      state.index.delete(key);
      record.keys.delete(key);
    }
    const today = Number(state.newest / dayNanos);
    for (const [chainId, { day }] of state.retired) if (day + 8 < today) state.retired.delete(chainId);
  }

  /** Chains of a case that was let go early may come again: their next case needs another id. */
  #drop(record: CaseRecord, retire: boolean): void {
    const state = this.#state;
    this.#scan.changing(record);
    state.records.delete(record);
    state.findings -= record.findings.size;
    for (const key of record.keys) state.index.delete(key);
    if (!retire || record.written.size === 0) return;
    for (const [chainId, { day }] of record.chains) {
      const generation = (state.retired.get(chainId)?.generation ?? 0) + 1;
      state.retired.delete(chainId);
      state.retired.set(chainId, { generation, day });
      if (state.retired.size > retiredMax) state.retired.delete(state.retired.keys().next().value!);
    }
  }
}

const defaultBounds: CasebookBounds = {
  casesMax: limits.casesMax,
  findingsMax: limits.caseFindingsMax,
  chainsPerCaseMax: limits.chainsPerCaseMax,
  keysPerCaseMax: limits.keysPerCaseMax,
  keysMax: limits.caseKeysMax,
  tiesMax: limits.caseTiesMax,
};

const minuteNanos = 60_000_000_000n;
const dayNanos = 86_400_000_000_000n;
/** How long after its last finding a session may go on with the same case. */
const sessionWindowNanos = 7n * dayNanos;
/** How far apart findings with the same value may be. */
const valueWindowNanos = dayNanos;
const opensAt = severityId('medium');
const retiredMax = 100_000;

/** Rows come quickly at first and then ever more slowly: 1, 2, 4 … 60 seconds of event time. */
function wait(given: number): bigint {
  return BigInt(Math.min(60, 2 ** Math.max(0, Math.min(given - 1, 6)))) * 1_000_000_000n;
}
