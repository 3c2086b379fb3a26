import { STATUS_CODES } from 'node:http';
import { limits } from '../../model/limits.ts';
import type { SendOutcome } from '../contract.ts';
import type { HttpAnswer } from './client.ts';
import { cutUrl } from './reason.ts';

export type Classification = SendOutcome['status'];

export interface ClassifyOptions {
  /** Milliseconds since the epoch; Retry-After may be a date. */
  readonly now: number;
  /** Status codes that mean something else to this receiver. */
  readonly codes?: Readonly<Record<number, Classification>>;
}

/**
 * What an answer means for the whole batch, by its status code. Protocols whose answers tell more look into them first.
 *
 * Refused means that the events are at fault, so batches are split to find the one that is; hence only codes that say so. A
 * code that nobody expects is taken as a mistake in the setup, where events wait and nothing is lost.
 */
export function classify(answer: HttpAnswer, { now, codes }: ClassifyOptions): SendOutcome {
  const { code } = answer;
  const status = codes?.[code] ?? usual(code);
  const said = answer.text.trim() === '' ? '' : `: ${answer.text}`;
  const text = answer.show(`HTTP ${code} ${STATUS_CODES[code] ?? ''}`.trimEnd() + said);
  if (status === 'delivered') return { status, answer: text };
  if (status === 'misconfigured' && code >= 300 && code < 400) return { status, reason: redirected(answer) };
  if (status !== 'retryable') return { status, reason: text };
  const retryAfterMs = retryAfter(answer.headers['retry-after'], now);
  return { status, reason: text, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

/** https://www.rfc-editor.org/rfc/rfc9110#name-status-codes */
function usual(code: number): Classification {
  if (code >= 200 && code < 300) return 'delivered';
  if (code === 400 || code === 409 || code === 422) return 'refused';
  if (code === 413) return 'too_large';
  // 408 Request Timeout, 425 Too Early, 429 Too Many Requests.
  if (code === 408 || code === 425 || code === 429) return 'retryable';
  // 501 Not Implemented and 505 HTTP Version Not Supported do not change by waiting.
  if (code >= 500 && code !== 501 && code !== 505) return 'retryable';
  return 'misconfigured';
}

/**
 * Milliseconds to wait, from the value of a Retry-After header: seconds or a date. At most `limits.exportRetryAfterMsMax`; undefined for what
 * is neither.
 * @see https://www.rfc-editor.org/rfc/rfc9110#name-retry-after
 */
export function retryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  // Some receivers give fractions of a second.
  const ms = /^\s*\d{1,12}(\.\d{1,9})?\s*$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(Math.ceil(ms), 0), limits.exportRetryAfterMsMax);
}

function redirected(answer: HttpAnswer): string {
  const place = answer.headers.location;
  const where = place === undefined ? 'somewhere it does not name' : cutUrl(place);
  return answer.show(
    `HTTP ${answer.code}: ${answer.host} points to ${where}; redirects are not followed, set the address itself`,
  );
}
