import { limits } from '../../model/limits.ts';
import type { EvaluatorBounds } from './kind.ts';

/** How much all correlations together remember. */
export interface CorrelatorBounds extends EvaluatorBounds {
  readonly bufferEventsMax: number;
  readonly bufferBytesMax: number;
  readonly allGroupsMax: number;
  readonly allEventsMax: number;
}

const defaultBounds = {
  groupsMax: limits.correlationGroupsPerRuleMax,
  eventsPerGroupMax: limits.correlationEventsPerGroupMax,
  bufferEventsMax: limits.correlationBufferEventsMax,
  bufferBytesMax: limits.correlationBufferBytesMax,
  allGroupsMax: limits.correlationGroupsMax,
  allEventsMax: limits.correlationEventsMax,
};

const hourNanos = 3_600_000_000_000n;
/** Findings wait for the watermark where a slot ends within the lateness: one in so many, or fewer. */
const latenessesPerSlotMin = 64n;

/** The defaults, but for those that are given. */
export function boundsOf(allowedLatenessNanos: bigint, given: Partial<CorrelatorBounds> = {}): CorrelatorBounds {
  const latenesses = allowedLatenessNanos * latenessesPerSlotMin;
  const idSlotNanos = latenesses > hourNanos ? latenesses : hourNanos;
  return { ...defaultBounds, idSlotNanos, ...given };
}
