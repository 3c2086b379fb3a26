import type { ReadableSpan } from '@opentelemetry/sdk-trace';

/** How sending a batch ended, classified once where the answer is seen. */
export type SendOutcome =
  | { readonly status: 'ok'; readonly rejected: number }
  | { readonly status: 'retryable'; readonly reason: string; readonly retryAfterMs?: number }
  | { readonly status: 'permanent'; readonly reason: string };

/** Where batches of finished spans go. Never throws, never rejects. */
export interface SpanSender {
  /** Where to, for people; without credentials. */
  readonly target: string;
  send(spans: ReadableSpan[]): Promise<SendOutcome>;
  /** Sends while the process is ending and nothing asynchronous runs any more; true when it was taken. */
  sendNow(spans: ReadableSpan[], timeoutMs: number): boolean;
}
