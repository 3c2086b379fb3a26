import { limits } from '../../model/limits.ts';
import type { SessionTableBounds } from './session-table.ts';

export interface StitcherBounds extends SessionTableBounds {
  readonly waitingMax: number;
  readonly heldMax: number;
}

export const defaultBounds: StitcherBounds = {
  sessionsMax: limits.sessionsMax,
  keysPerSessionMax: limits.sessionKeysMax,
  keysMax: limits.sessionAllKeysMax,
  idleNanos: BigInt(limits.sessionIdleMs) * 1_000_000n,
  waitingMax: limits.sessionWaitingMax,
  heldMax: limits.sessionHeldMax,
};
