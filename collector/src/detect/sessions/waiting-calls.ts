import { createHash } from 'node:crypto';
import type { Finding } from '../../model/finding.ts';
import type { Session } from '../../model/session.ts';
import type { CorrelationEvent } from '../correlate/event.ts';
import { type Call, callId } from './call.ts';

/** A call whose session hangs on a call that has not come, and what was found on it. */
export interface WaitingCall {
  readonly call: Call;
  readonly findings: Finding[];
  events: HeldEvent[];
}

export interface HeldEvent {
  readonly event: CorrelationEvent;
  readonly nowNanos: bigint | undefined;
}

/** What comes out when the session of a call is known. */
export interface Released {
  readonly findings: readonly Finding[];
  readonly events: readonly HeldEvent[];
}

/** What stands for the session of a waiting call until it is known: equal to nothing else. */
export function placeholderOf(call: Call): string {
  return createHash('sha256')
    .update(`waiting\0${callId(call)}`)
    .digest('hex')
    .slice(0, 32);
}

/** The findings and events of a call with its session in place of the placeholder. */
export function releasedWith({ call, findings, events }: WaitingCall, session: Session): Released {
  const placeholder = placeholderOf(call);
  const exchanged = <T extends string | number>(text: T): T | string => (text === placeholder ? session.id : text);
  return {
    findings: findings.map((finding) => ({
      ...finding,
      session,
      evidence: finding.evidence.map((each) => ({ ...each, excerpt: exchanged(each.excerpt) })),
      ...(finding.foldValues && { foldValues: finding.foldValues.map(exchanged) }),
    })),
    events: events.map(({ event, nowNanos }) => {
      const parts = event.parts.map((part) => ({
        ...part,
        groups: part.groups.map((group) => ({
          ...group,
          texts: group.texts.map(exchanged),
          values: group.values.map(exchanged),
        })),
      }));
      const span = { ...event.span, session };
      return { event: { ...event, span, parts }, nowNanos };
    }),
  };
}

/** Calls that wait, by span and by the key that they wait for. Few do, and none for longer than spans may be late. */
export class WaitingCalls {
  readonly #byCall = new Map<string, WaitingCall>();
  readonly #byKey = new Map<string, Set<WaitingCall>>();
  /** How many wait of a trace. */
  readonly #ofTrace = new Map<string, number>();
  /** Findings and events that wait along. */
  held = 0;

  get size(): number {
    return this.#byCall.size;
  }

  all(): Iterable<WaitingCall> {
    return this.#byCall.values();
  }

  of(span: Pick<Call, 'traceId' | 'spanId'>): WaitingCall | undefined {
    return this.#byCall.size === 0 ? undefined : this.#byCall.get(callId(span));
  }

  /** Whether calls of the same trace wait. */
  hasOf(own: string): boolean {
    return this.#ofTrace.has(own);
  }

  add(waiting: WaitingCall): void {
    const id = callId(waiting.call);
    this.#count(waiting.call.own, 1);
    this.#byCall.set(id, waiting);
    this.held += waiting.findings.length + waiting.events.length;
    const key = waiting.call.before[0]?.key;
    if (key === undefined) return;
    const known = this.#byKey.get(key);
    if (known) known.add(waiting);
    else this.#byKey.set(key, new Set([waiting]));
  }

  remove(waiting: WaitingCall): void {
    this.#byCall.delete(callId(waiting.call));
    this.#count(waiting.call.own, -1);
    this.held -= waiting.findings.length + waiting.events.length;
    const key = waiting.call.before[0]?.key;
    const known = key === undefined ? undefined : this.#byKey.get(key);
    known?.delete(waiting);
    if (known?.size === 0) this.#byKey.delete(key!);
  }

  /** What was found on a call waits along with it. */
  hold(id: string, findings: readonly Finding[], events: readonly HeldEvent[]): void {
    const waiting = this.#byCall.get(id);
    if (waiting === undefined) return;
    waiting.findings.push(...findings);
    waiting.events.push(...events);
    this.held += findings.length + events.length;
  }

  /** Rules have changed: other events wait along. */
  exchangeEvents(exchanged: (events: readonly HeldEvent[]) => HeldEvent[]): void {
    for (const waiting of this.#byCall.values()) {
      this.held -= waiting.events.length;
      waiting.events = exchanged(waiting.events);
      this.held += waiting.events.length;
    }
  }

  /** Those that wait for a key. */
  waitingFor(key: string): readonly WaitingCall[] {
    return [...(this.#byKey.get(key) ?? [])];
  }

  #count(own: string, more: number): void {
    const count = (this.#ofTrace.get(own) ?? 0) + more;
    if (count === 0) this.#ofTrace.delete(own);
    else this.#ofTrace.set(own, count);
  }

  clear(): void {
    this.#ofTrace.clear();
    this.#byCall.clear();
    this.#byKey.clear();
    this.held = 0;
  }
}
