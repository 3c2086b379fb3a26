import type { SendOutcome } from '../contract.ts';
import { type Classification, classify } from './classify.ts';
import type { HttpAnswer } from './client.ts';
import { jsonOf } from './json.ts';

/** What was sent: so many records, of what they are called in answers. */
export interface SentRecords {
  readonly count: number;
  readonly noun: string;
  readonly encoding: 'protobuf' | 'json';
}

/** What may be sent again is told by the code alone: 429, 502, 503, 504. https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes */
const codes: Readonly<Record<number, Classification>> = { 500: 'refused' };

/**
 * What an OTLP receiver says about a request. A partial success says how many records were rejected and not which, and must not be sent
 * again. Where all of them were, nothing was taken, and the batch is halved like any that is refused.
 * @see https://opentelemetry.io/docs/specs/otlp/#partial-success-1
 */
export function otlpOutcome(answer: HttpAnswer, { count, noun, encoding }: SentRecords, now: number): SendOutcome {
  const outcome = classify(answer, { now, codes });
  if (outcome.status !== 'delivered') return outcome;
  const rejected = encoding === 'json' ? rejectedInJson(answer.text) : rejectedIn(answer.bytes);
  const { message } = rejected;
  if (rejected.count === 0)
    return { status: 'delivered', answer: answer.show(`HTTP ${answer.code}${message && `: ${message}`}`) };
  const said = answer.show(`${rejected.count} of ${count} ${noun} rejected: ${message}`);
  if (rejected.count >= count) return { status: 'refused', reason: said };
  return { status: 'delivered', answer: said, rejected: rejected.count };
}

/** `rejectedSpans`, `rejectedLogRecords` or `rejectedDataPoints`. */
export function rejectedInJson(text: string): Rejected {
  const partial = jsonOf(text)?.partialSuccess;
  if (typeof partial !== 'object' || partial === null) return { count: 0, message: '' };
  const { errorMessage, ...fields } = partial as Record<string, unknown>;
  const rejected = fields.rejectedSpans ?? fields.rejectedLogRecords ?? fields.rejectedDataPoints;
  // 64-bit numbers are texts in JSON.
  const isNumber = typeof rejected === 'string' || typeof rejected === 'number';
  const count = isNumber ? Number(rejected) : 0;
  return { count: count > 0 ? count : 0, message: typeof errorMessage === 'string' ? errorMessage : '' };
}

interface Rejected {
  readonly count: number;
  readonly message: string;
}

/**
 * Of an answer, Export{Trace,Logs,Metrics}ServiceResponse: partial_success 1, in it rejected_… 1 and error_message 2. Answers that are
 * none of that, such as texts of proxies, reject nothing.
 */
export function rejectedIn(answer: Buffer): Rejected {
  const partial = fieldsIn(answer).get(1);
  const fields = partial instanceof Buffer ? fieldsIn(partial) : new Map<number, number | Buffer>();
  const count = fields.get(1);
  const message = fields.get(2);
  return {
    count: typeof count === 'number' ? count : 0,
    message: message instanceof Buffer ? message.toString() : '',
  };
}

/** The last value of each varint and length-delimited field, up to where the bytes are no protobuf any more. */
function fieldsIn(bytes: Buffer): Map<number, number | Buffer> {
  const fields = new Map<number, number | Buffer>();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; at < bytes.length && scale <= 2 ** 63; scale *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    return Number.NaN;
  };
  while (at < bytes.length) {
    const tag = varint();
    const value = varint();
    const wireType = tag % 8;
    if (Number.isNaN(value) || (wireType !== 0 && wireType !== 2)) break;
    if (wireType === 2) {
      if (value > bytes.length - at) break;
      fields.set(Math.floor(tag / 8), bytes.subarray(at, at + value));
      at += value;
    } else fields.set(Math.floor(tag / 8), value);
  }
  return fields;
}
