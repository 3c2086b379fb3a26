import type { Case, CaseDecision } from '../model/case.ts';
import type { Activity, CaseEvent, ExportEvent, FindingEvent } from '../model/export-event.ts';
import { type Finding, versionOf } from '../model/finding.ts';

/** Findings and chains that are remembered, each. */
const rememberedMax = 16_384;

/**
 * Makes events of what was stored together. It remembers which findings it has seen, to tell a new one from a newer state of one,
 * and which chains are of which case. After a start it has seen nothing: a state may then be called new that is not; its id is the
 * same all the same.
 */
export class EventMaker {
  /** Where each finding was seen first: the same record may be read again. */
  readonly #first = new Map<string, number>();
  readonly #cases = new Map<string, string>();

  /**
   * Findings before the cases that they made.
   * @param position of the record, grows
   * @param mayLack whether rows before may be missing, that newer ones have replaced: then each row of a case stands for the one
   * that called for attention, under the id that that one had.
   */
  events(
    position: number,
    takenMs: number,
    { findings, cases }: { readonly findings: readonly Finding[]; readonly cases: readonly Case[] },
    mayLack = false,
  ): ExportEvent[] {
    for (const row of cases) this.#learn(row);
    const given: ExportEvent[] = findings.map((finding) =>
      findingEvent(finding, this.#activity(finding.id, position), this.#caseOf(finding), takenMs),
    );
    for (const row of cases) {
      if (row.alerted || row.mergedInto !== '' || mayLack) given.push(caseEvent(row, takenMs));
      if (row.decision !== undefined) given.push(decisionEvent(row, row.decision, takenMs));
    }
    return given;
  }

  #learn({ id, mergedInto, chainIds }: Case): void {
    for (const chain of mergedInto === '' ? chainIds : [id]) remember(this.#cases, chain, mergedInto || id);
  }

  #caseOf({ chainId = '' }: Finding): string {
    return this.#cases.get(chainId) ?? '';
  }

  #activity(id: string, position: number): Activity {
    const first = this.#first.get(id);
    if (first === undefined || position < first) remember(this.#first, id, position);
    return first === undefined || position <= first ? 'create' : 'update';
  }
}

function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > rememberedMax) map.delete(map.keys().next().value!);
}

/** The event that a state of a finding is, whenever it is made. */
export function findingEvent(finding: Finding, activity: Activity, caseId: string, takenMs: number): FindingEvent {
  return {
    kind: 'finding',
    id: `${finding.id}-${versionOf(finding)}`,
    activity,
    orderKey: caseId || finding.chainId || finding.id,
    ...{ takenMs, finding, caseId, isSample: false },
  };
}

/** The event that a row of a case is: it calls for attention again, or has become part of another. */
export function caseEvent({ decision: _, ...row }: Case, takenMs: number): CaseEvent {
  const isMerged = row.mergedInto !== '';
  return {
    kind: 'case',
    id: `${row.id}-${isMerged ? 'merged' : row.alertSeq}`,
    activity: isMerged ? 'close' : row.alertSeq > 1 ? 'update' : 'create',
    orderKey: row.mergedInto || row.id,
    ...{ takenMs, case: row, isSample: false },
  };
}

/** Somebody closed a case, or opened it again. */
export function decisionEvent(row: Case, { action, atMicros }: CaseDecision, takenMs: number): CaseEvent {
  return {
    kind: 'case',
    id: `${row.id}-${action}-${atMicros}`,
    activity: action === 'close' ? 'close' : 'update',
    orderKey: row.mergedInto || row.id,
    ...{ takenMs, case: row, isSample: false },
  };
}

/** What the stored state of a case has to tell, in order. */
export function caseEvents(row: Case, takenMs: number): CaseEvent[] {
  const called = caseEvent(row, takenMs);
  return row.decision === undefined ? [called] : [called, decisionEvent(row, row.decision, takenMs)];
}
