import { randomBytes } from 'node:crypto';
import { ResentSpans } from './detect/resends/resent-spans.ts';

/** Undefined for 0: then only whole requests are recognised when they come again. */
export function createResentSpans(spansMax: number): ResentSpans | undefined {
  return spansMax === 0 ? undefined : new ResentSpans(spansMax, () => randomBytes(4).readInt32LE());
}

/** What a start found and could not sync may be lost yet, and then its sender has to bring it once more. */
export function trustOnlySynced(resends: ResentSpans | undefined, spool: { readonly unsyncedSegments: number }): void {
  if (spool.unsyncedSegments > 0) resends?.forget();
}
