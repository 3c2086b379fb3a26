import { limits } from '../../model/limits.ts';
import type { EvaluatorBounds } from './kind.ts';

/** How much all correlations together remember. */
export interface CorrelatorBounds extends EvaluatorBounds {
  readonly bufferEventsMax: number;
  readonly bufferBytesMax: number;
  readonly allGroupsMax: number;
  readonly allEventsMax: number;
}

export const defaultBounds = {
  groupsMax: limits.correlationGroupsPerRuleMax,
  eventsPerGroupMax: limits.correlationEventsPerGroupMax,
  bufferEventsMax: limits.correlationBufferEventsMax,
  bufferBytesMax: limits.correlationBufferBytesMax,
  allGroupsMax: limits.correlationGroupsMax,
  allEventsMax: limits.correlationEventsMax,
};
