import { limits } from '../../model/limits.ts';

const retryFirstMs = 250;
const misconfiguredFirstMs = 10_000;
/** Chance must not make a receiver that is away be asked without a pause. */
const delayMsMin = 50;

/**
 * How long to wait before attempt `attempt` + 1 (the first failure is attempt 1): exponential, capped, and anything between nothing and
 * that ("full jitter"), so that collectors which failed together do not come back together. At least what the receiver asked for,
 * as far as that is bearable.
 */
export function retryDelayMs(attempt: number, random: number, retryAfterMs = 0): number {
  const jittered = random * exponential(attempt, retryFirstMs, limits.exportRetryMsMax);
  return Math.max(delayMsMin, jittered, Math.min(retryAfterMs, limits.exportRetryAfterMsMax));
}

/** The same for what a person has to mend: slow, and never much faster by chance. */
export function misconfiguredDelayMs(attempt: number, random: number): number {
  return exponential(attempt, misconfiguredFirstMs, limits.exportMisconfiguredMsMax) * (0.5 + random / 2);
}

function exponential(attempt: number, firstMs: number, maxMs: number): number {
  return Math.min(maxMs, firstMs * 2 ** Math.min(Math.max(0, attempt - 1), 30));
}
