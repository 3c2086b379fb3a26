/**
 * How handing on ended, classified once at the edge. Expected outcomes are values; `throw` is for programmer errors
 * and start-up.
 */
export type Outcome =
  | { readonly status: 'ok' }
  | { readonly status: 'retryable'; readonly reason: string; readonly retryAfterMs?: number }
  | { readonly status: 'permanent'; readonly reason: string };

export const ok: Outcome = Object.freeze({ status: 'ok' });
