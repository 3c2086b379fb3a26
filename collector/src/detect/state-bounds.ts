import { limits } from '../model/limits.ts';

/** How much detection remembers, part by part. */
export interface StateBounds {
  readonly correlations: Record<
    'groupsMax' | 'bufferEventsMax' | 'bufferBytesMax' | 'allGroupsMax' | 'allEventsMax',
    number
  >;
  readonly ancestry: Record<'tracesMax' | 'bytesMax' | 'waitingMax', number>;
  readonly sessions: Record<'sessionsMax' | 'keysMax' | 'waitingMax' | 'heldMax', number>;
  readonly repeats: Record<'foldsMax' | 'spansMax' | 'toldMax', number>;
  readonly cases: Record<'casesMax' | 'findingsMax' | 'keysMax' | 'tiesMax', number>;
  readonly calls: Record<'viewsMax' | 'charsMax', number>;
  readonly joining: Record<'waitingMax' | 'charsMax', number>;
}

/**
 * The bounds of everything that grows with what senders send, for a process that has memory for a part of it.
 *
 * @param share of the bounds in `limits.ts`, above 0 and at most 1
 */
export function stateBounds(share: number): StateBounds {
  const part = (bound: number) => Math.ceil(bound * share);
  return {
    correlations: {
      groupsMax: part(limits.correlationGroupsPerRuleMax),
      bufferEventsMax: part(limits.correlationBufferEventsMax),
      bufferBytesMax: part(limits.correlationBufferBytesMax),
      allGroupsMax: part(limits.correlationGroupsMax),
      allEventsMax: part(limits.correlationEventsMax),
    },
    ancestry: {
      tracesMax: part(limits.ancestryTracesMax),
      bytesMax: part(limits.ancestryBytesMax),
      waitingMax: part(limits.ancestryWaitingMax),
    },
    sessions: {
      sessionsMax: part(limits.sessionsMax),
      keysMax: part(limits.sessionAllKeysMax),
      waitingMax: part(limits.sessionWaitingMax),
      heldMax: part(limits.sessionHeldMax),
    },
    repeats: {
      foldsMax: part(limits.repeatsFoldsMax),
      spansMax: part(limits.repeatsSpansMax),
      toldMax: part(limits.repeatsToldMax),
    },
    cases: {
      casesMax: part(limits.casesMax),
      findingsMax: part(limits.caseFindingsMax),
      keysMax: part(limits.caseKeysMax),
      tiesMax: part(limits.caseTiesMax),
    },
    calls: { viewsMax: part(limits.callViewsMax), charsMax: part(limits.callCharsMax) },
    joining: { waitingMax: part(limits.logJoinWaitingMax), charsMax: part(limits.logJoinCharsMax) },
  };
}
