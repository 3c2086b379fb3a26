import { createHash } from 'node:crypto';
import type { Finding } from '../../model/finding.ts';
import { sessionOf } from '../../model/session.ts';

/** Repeats fold within one such stretch of event time, counted from the epoch, so that no order of arrival moves it. */
export const foldPeriodNanos = 3_600_000_000_000n;

/** The start of the period that a moment lies in. */
export function periodOf(timeNanos: bigint): bigint {
  return timeNanos - (timeNanos % foldPeriodNanos);
}

/**
 * The id that a match shares with its repeats: the same rule, period, and either the values of the fields in the rule's
 * `fold-by` or agent, session, tool and evidence.
 */
export function foldId(finding: Finding): string {
  return keyOf(finding, String(periodOf(finding.timeNanos)));
}

/** The same for all periods. */
export function lastingId(finding: Finding): string {
  return keyOf(finding, 'any');
}

function keyOf(finding: Finding, period: string): string {
  const { ruleId, foldValues } = finding;
  const same = foldValues ?? [
    finding.serviceName,
    finding.agentName,
    finding.conversationId === '' ? 'trace' : 'conversation',
    sessionOf(finding).id || finding.spanId,
    finding.toolName,
    ...finding.evidence.flatMap(({ selection, field, excerpt }) => [selection, field, excerpt]),
  ];
  const key = JSON.stringify([ruleId, foldValues === undefined, same, period]);
  return createHash('sha256').update(`fold\0${key}`).digest('hex').slice(0, 32);
}

/** A span among those of one fold. */
export function spanKey({ traceId, spanId, timeNanos }: Finding): string {
  return spanId === '' ? String(timeNanos) : `${spanId}${traceId.slice(0, 8)}`;
}

/** Event order, retold matches last: of a fold the first one is shown. Ties are ordered by ids and then by content, so that arrival never decides. */
export function isEarlier(a: Finding, b: Finding): boolean {
  if ((a.retold === true) !== (b.retold === true)) return b.retold === true;
  if (a.timeNanos !== b.timeNanos) return a.timeNanos < b.timeNanos;
  const [x, y] = [a, b].map(({ spanId, traceId, evidence }) => JSON.stringify([spanId, traceId, evidence])) as [
    string,
    string,
  ];
  return x < y;
}
