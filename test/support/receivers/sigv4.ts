import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Answer, Received } from './receiver.ts';

// Signature Version 4 from the side of who checks it, written from the documentation alone.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html

/** Milliseconds that the time of a request may be off. */
const skewMsMax = 15 * 60 * 1000;

/** An error in the words of AWS. */
export class AwsRefusal extends Error {
  readonly answer: Answer;

  constructor(status: number, code: string, more = '') {
    super(code);
    this.answer = { code: status, headers: { 'content-type': 'application/xml' }, body: xml(code, more) };
  }
}

export function xml(code: string, more = ''): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${words[code] ?? code}</Message>${more}<RequestId>4442587FB7D0A2F9</RequestId></Error>`;
}

const words: Readonly<Record<string, string>> = {
  AccessDenied: 'Access Denied',
  ExpiredToken: 'The provided token has expired.',
  InvalidAccessKeyId: 'The AWS Access Key Id you provided does not exist in our records.',
  NoSuchBucket: 'The specified bucket does not exist',
  RequestTimeTooSkewed: 'The difference between the request time and the current time is too large.',
  SignatureDoesNotMatch: 'The request signature we calculated does not match the signature you provided.',
  SlowDown: 'Please reduce your request rate.',
};

export interface Checking {
  readonly region: string;
  readonly service: string;
  readonly nowMs: number;
  /** The secret of an access key id, with the session token that came; throws a refusal or gives undefined for what is unknown. */
  secretOf(accessKeyId: string, sessionToken: string | undefined): string | undefined;
}

/** Throws a refusal for a request that nobody signed as it should be. */
export function authenticated(received: Received, { region, service, nowMs, secretOf }: Checking): void {
  const { headers, body } = received;
  const given = parse(header(headers, 'authorization'));
  if (given === undefined) throw new AwsRefusal(403, 'AccessDenied');
  const { accessKeyId, day, names, signature } = given;
  const time = header(headers, 'x-amz-date');
  const sentMs = Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (Number.isNaN(sentMs) || !time.startsWith(day)) throw new AwsRefusal(403, 'AccessDenied');
  if (Math.abs(nowMs - sentMs) > skewMsMax) {
    const server = new Date(nowMs).toISOString().replace(/\.\d+/, '');
    throw new AwsRefusal(
      403,
      'RequestTimeTooSkewed',
      `<RequestTime>${time}</RequestTime><ServerTime>${server}</ServerTime>`,
    );
  }
  if (given.region !== region) throw new AwsRefusal(400, 'AuthorizationHeaderMalformed', `<Region>${region}</Region>`);
  if (given.service !== service) throw new AwsRefusal(400, 'AuthorizationHeaderMalformed');
  const unsigned = Object.keys(headers).filter(
    (name) => /^(host|content-type|x-amz-.*)$/.test(name) && !names.includes(name),
  );
  if (unsigned.length > 0 || !names.includes('host'))
    throw new AwsRefusal(403, 'AccessDenied', `<HeadersNotSigned>${unsigned}</HeadersNotSigned>`);
  const secret = secretOf(accessKeyId, headers['x-amz-security-token'] as string | undefined);
  if (secret === undefined)
    throw new AwsRefusal(403, 'InvalidAccessKeyId', `<AWSAccessKeyId>${accessKeyId}</AWSAccessKeyId>`);
  const bodyHash = createHash('sha256').update(body).digest('hex');
  if (service === 's3' && header(headers, 'x-amz-content-sha256') !== bodyHash)
    throw new AwsRefusal(400, 'XAmzContentSHA256Mismatch');
  const canonical =
    `${received.method}\n${encodedPath(received.path)}\n${canonicalQuery(received.query)}\n` +
    `${names.map((name) => `${name}:${header(headers, name).trim().replace(/\s+/g, ' ')}\n`).join('')}\n${names.join(';')}\n${bodyHash}`;
  const canonicalHash = createHash('sha256').update(canonical).digest('hex');
  const toSign = `AWS4-HMAC-SHA256\n${time}\n${day}/${region}/${service}/aws4_request\n${canonicalHash}`;
  let key: Buffer = Buffer.from(`AWS4${secret}`);
  for (const part of [day, region, service, 'aws4_request']) key = createHmac('sha256', key).update(part).digest();
  const wanted = createHmac('sha256', key).update(toSign).digest();
  const came = Buffer.from(signature, 'hex');
  if (came.length !== wanted.length || !timingSafeEqual(came, wanted))
    throw new AwsRefusal(403, 'SignatureDoesNotMatch');
}

function header(headers: Received['headers'], name: string): string {
  const value = headers[name];
  return typeof value === 'string' ? value : '';
}

function parse(authorization: string) {
  const [, credential = '', signed = '', signature = ''] =
    /^AWS4-HMAC-SHA256 Credential=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})$/.exec(
      authorization,
    ) ?? [];
  const [accessKeyId = '', day = '', region = '', service = '', end = ''] = credential.split('/');
  const names = signed.split(';');
  const isSorted = names.every((name, at) => at === 0 || names[at - 1]! < name);
  if (end !== 'aws4_request' || !/^\d{8}$/.test(day) || !isSorted || signature === '') return undefined;
  return { accessKeyId, day, region, service, names, signature };
}

/** What the path says, encoded anew: a path that was sent otherwise than it was signed does not pass. */
function encodedPath(path: string): string {
  return [...Buffer.from(decodeURIComponent(path))]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return /[A-Za-z0-9\-._~/]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}

function canonicalQuery(query: URLSearchParams): string {
  const pairs = [...query].map(([name, value]) => `${encodedPath(name)}=${encodedPath(value)}`);
  return pairs.sort().join('&');
}
