import { createHash, createHmac } from 'node:crypto';
import type { HttpRequest } from '../http/client.ts';

/** What AWS knows a sender by. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of temporary credentials. */
  readonly sessionToken?: string;
}

/** What a signature is for. */
export interface Scope {
  readonly service: 's3' | 'sts';
  readonly region: string;
}

/**
 * The headers of a request with its signature, Signature Version 4. The request has no query, its path is written as `uriEncoded` writes it,
 * names of its headers are in lower case, and its body is what is sent: nothing compresses it later.
 * @param now milliseconds since the epoch; receivers take 15 minutes to either side
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export function signedHeaders(
  { method = 'POST', url, headers, body }: HttpRequest,
  credentials: AwsCredentials,
  { service, region }: Scope,
  now: number,
): Record<string, string> {
  const time = `${new Date(now).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
  const scope = [time.slice(0, 8), region, service, 'aws4_request'];
  const bodyHash = sha256(body).toString('hex');
  const { sessionToken } = credentials;
  const sent: Record<string, string> = {
    ...headers,
    'x-amz-content-sha256': bodyHash,
    'x-amz-date': time,
    ...(sessionToken !== undefined && { 'x-amz-security-token': sessionToken }),
  };
  // Node writes the header host itself, from the address.
  const signed: Record<string, string> = { ...sent, host: url.host };
  const names = Object.keys(signed).sort();
  const lines = names.map((name) => `${name}:${signed[name]!.trim().replace(/ +/g, ' ')}`);
  const canonical = [method, url.pathname, '', ...lines, '', names.join(';'), bodyHash].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', time, scope.join('/'), sha256(canonical).toString('hex')].join('\n');
  const key = scope.reduce<string | Buffer>((from, part) => hmac(from, part), `AWS4${credentials.secretAccessKey}`);
  const authorization = [
    `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope.join('/')}`,
    `SignedHeaders=${names.join(';')}`,
    `Signature=${hmac(key, toSign).toString('hex')}`,
  ].join(', ');
  return { ...sent, authorization };
}

/** A path with everything percent-encoded that is not unreserved, but `/`: what signatures are made over. */
export function uriEncoded(path: string): string {
  return encodeURIComponent(path)
    .replace(/%2F/g, '/')
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

function sha256(content: string | Buffer): Buffer {
  return createHash('sha256').update(content).digest();
}

function hmac(key: string | Buffer, content: string): Buffer {
  return createHmac('sha256', key).update(content).digest();
}
