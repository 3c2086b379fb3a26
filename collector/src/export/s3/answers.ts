import type { SendOutcome } from '../contract.ts';
import { type Classification, classify } from '../http/classify.ts';
import type { HttpAnswer } from '../http/client.ts';

/**
 * What an answer of S3, or of STS, means. No object is refused for what is in it, so whatever is not known to pass by itself is the setup.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
export function outcomeOf(answer: HttpAnswer, now: number): SendOutcome {
  if (answer.code >= 200 && answer.code < 300 && answer.headers.etag === undefined) {
    // A proxy or a sign-in page says 200 to anything.
    return {
      status: 'misconfigured',
      reason: answer.show(`HTTP ${answer.code} without an ETag: no S3 at ${answer.host}`),
    };
  }
  return failureOf(answer, now);
}

/** The same for answers of which nothing shows that they are S3's. */
export function failureOf(answer: HttpAnswer, now: number): SendOutcome {
  const { code, message } = errorIn(answer.text);
  const advice = adviceOn(code, answer, now);
  const said = [code === '' ? answer.text : code, message, advice].filter((part) => part !== '').join(': ');
  const meaning = meanings.get(code) ?? byStatus.get(answer.code);
  const outcome = classify({ ...answer, text: said }, { now, ...(meaning && { codes: { [answer.code]: meaning } }) });
  const region = regionIn(answer);
  if (outcome.status !== 'misconfigured' || answer.code >= 400 || region === undefined) return outcome;
  return {
    ...outcome,
    reason: answer.show(
      `HTTP ${answer.code} ${code}: the bucket is in another region: set region to ${region}. ${outcome.reason}`,
    ),
  };
}

/** Whether temporary credentials have ended, so that new ones may help. */
export function isExpired({ text }: HttpAnswer): boolean {
  return /^(ExpiredToken|ExpiredTokenException|TokenRefreshRequired|InvalidToken)$/.test(errorIn(text).code);
}

/** Codes whose status alone would mean something else. */
const meanings: ReadonlyMap<string, Classification> = new Map([
  ...[
    ...['SlowDown', 'ServiceUnavailable', 'InternalError', 'OperationAborted', 'ConditionalRequestConflict'],
    ...['Throttling', 'ThrottlingException', 'RequestThrottled', 'RequestLimitExceeded', 'IDPCommunicationError'],
    // The request did not arrive as it was sent.
    ...['RequestTimeout', 'IncompleteBody', 'BadDigest', 'XAmzContentSHA256Mismatch', 'XAmzContentChecksumMismatch'],
  ].map((code) => [code, 'retryable'] as const),
  ['EntityTooLarge', 'too_large'],
]);

const byStatus: ReadonlyMap<number, Classification> = new Map([
  [400, 'misconfigured'],
  [409, 'retryable'],
  [422, 'misconfigured'],
]);

/** What an error says of itself, '' for what is none. */
function errorIn(text: string): { readonly code: string; readonly message: string } {
  return { code: element(text, 'Code'), message: element(text, 'Message').replace(/\.$/, '') };
}

/** The text of the first element with this name, '' when there is none. Answers are flat enough for that. */
export function element(text: string, name: string): string {
  return new RegExp(`<${name}>([^<]{1,8192})</${name}>`).exec(text.slice(0, 65_536))?.[1] ?? '';
}

/** What to do, where the words of the receiver leave that open. */
function adviceOn(code: string, answer: HttpAnswer, now: number): string {
  switch (code) {
    case 'RequestTimeTooSkewed':
      return skewOf(answer, now);
    case 'AccessDenied':
      return 'the credentials need s3:PutObject for this prefix, and kms:GenerateDataKey for a key of their own';
    case 'NoSuchBucket':
      return 'create the bucket, or mend bucket and endpoint';
    case 'SignatureDoesNotMatch':
      return 'the secret key is wrong, or something on the way changes requests';
    case 'ExpiredToken':
      return 'temporary credentials have ended; role_arn and the like renew them';
    case 'AuthorizationHeaderMalformed':
      return regionIn(answer) === undefined ? '' : `set region to ${regionIn(answer)}`;
    default:
      return '';
  }
}

/** How far the clock of this machine is from the receiver's. */
function skewOf(answer: HttpAnswer, now: number): string {
  const theirs = Date.parse(element(answer.text, 'ServerTime') || (answer.headers.date ?? ''));
  if (Number.isNaN(theirs)) return 'the clock of this machine is wrong';
  const seconds = Math.round((now - theirs) / 1000);
  return `the clock of this machine is ${Math.abs(seconds)} s ${seconds < 0 ? 'behind' : 'ahead of'} that of ${answer.host}`;
}

/** The region that the answer names. */
function regionIn(answer: HttpAnswer): string | undefined {
  const header = answer.headers['x-amz-bucket-region'];
  const region = typeof header === 'string' ? header : element(answer.text, 'Region');
  return /^[a-z]{2}[a-z0-9-]{1,30}$/.test(region) ? region : undefined;
}
