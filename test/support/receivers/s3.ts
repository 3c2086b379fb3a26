import { createHash } from 'node:crypto';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { parquetReadObjects } from 'hyparquet';
import { type Answer, type Received, Receiver } from './receiver.ts';
import { AwsRefusal, authenticated, xml } from './sigv4.ts';
import { sessionOf, sts, stsPaths } from './sts.ts';

/** What the receiver knows. */
export const aws = {
  region: 'eu-central-1',
  bucket: 'security-data',
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
} as const;

/** An object that was put. */
export interface StoredObject {
  readonly body: Buffer;
  readonly headers: Received['headers'];
  /** The events in it, each as JSON. */
  readonly texts: readonly string[];
}

/**
 * One bucket of S3, path style: checks signature, time, hash and checksum of each PUT as the documentation says, answers with S3's errors, and
 * keeps the objects. Beside it stand STS, the credentials of a container and the metadata of an instance.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
 */
export class S3Receiver extends Receiver {
  /** Seconds that the receiver's clock is ahead. */
  clockAheadSeconds = 0;
  /** An error in place of what it should answer. */
  error:
    | { readonly status: number; readonly code: string; readonly more?: string; readonly region?: string }
    | undefined;
  /** Session tokens that have ended. */
  readonly ended = new Set<string>();
  /** Whether the instance has a role. */
  hasRole = true;
  /** Credentials given, of any kind. */
  given = 0;
  readonly objects = new Map<string, StoredObject>();
  readonly #isOfSamples: boolean;

  /** @param isOfSamples whether all that comes are samples, which `held` names. */
  constructor(isOfSamples = true) {
    super(
      {
        bytesMax: 5_000_000,
        methods: ['PUT', 'POST', 'GET'],
        words: (code) => xml(code === 413 ? 'EntityTooLarge' : code === 503 ? 'SlowDown' : 'TooManyRequests'),
        spared: stsPaths,
      },
      (self) => (received) => (self as S3Receiver).#take(received),
    );
    this.#isOfSamples = isOfSamples;
  }

  get nowMs(): number {
    return Date.now() + this.clockAheadSeconds * 1000;
  }

  async #take(received: Received): Promise<Answer> {
    const answer = stsPaths.includes(received.path) ? sts(this, received) : await this.#put(received);
    return { ...answer, headers: { date: new Date(this.nowMs).toUTCString(), ...answer.headers } };
  }

  async #put(received: Received): Promise<Answer> {
    if (this.error) {
      const { status, code, more, region } = this.error;
      return { code: status, body: xml(code, more), ...(region && { headers: { 'x-amz-bucket-region': region } }) };
    }
    try {
      if (received.method !== 'PUT') throw new AwsRefusal(405, 'MethodNotAllowed');
      const [, bucket = '', key = ''] = /^\/([^/]*)\/(.*)$/.exec(decodeURIComponent(received.path)) ?? [];
      authenticated(received, {
        ...{ region: aws.region, service: 's3', nowMs: this.nowMs },
        secretOf: (id, token) =>
          id === aws.accessKeyId && token === undefined ? aws.secretAccessKey : sessionOf(this, id, token),
      });
      if (bucket !== aws.bucket) throw new AwsRefusal(404, 'NoSuchBucket');
      checkContent(received);
      this.objects.set(key, {
        body: received.body,
        headers: received.headers,
        texts: await textsOf(key, received.body),
      });
    } catch (refusal) {
      if (!(refusal instanceof AwsRefusal)) throw refusal;
      return refusal.answer;
    }
    if (this.#isOfSamples) this.#holdAll();
    return { code: 200, headers: { etag: `"${createHash('md5').update(received.body).digest('hex')}"` } };
  }

  /** An object in the place of another takes its events away. */
  #holdAll(): void {
    this.held.length = 0;
    this.texts.length = 0;
    for (const { texts } of this.objects.values()) for (const text of texts) this.hold(text);
  }
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html */
function checkContent({ headers, body }: Received): void {
  const checksum = headers['x-amz-checksum-sha256'];
  if (checksum !== undefined && checksum !== createHash('sha256').update(body).digest('base64')) {
    throw new AwsRefusal(400, 'BadDigest');
  }
  if (headers['content-length'] === undefined) throw new AwsRefusal(411, 'MissingContentLength');
  if (headers['content-encoding'] !== undefined) throw new AwsRefusal(400, 'NotWhatItsNameSays');
}

/** The events of an object, read as those do who come after. */
export async function textsOf(key: string, body: Buffer): Promise<string[]> {
  if (key.endsWith('.ndjson.gz')) {
    const lines = gunzipSync(body).toString().split('\n');
    if (lines.pop() !== '') throw new Error('the last line does not end');
    return lines.map((line) => JSON.stringify(JSON.parse(line)));
  }
  const rows = await rowsOf(body);
  return rows.map((row) => JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? Number(value) : value)));
}

/** The rows of a Parquet file. */
export function rowsOf(body: Buffer): Promise<Record<string, unknown>[]> {
  return parquetReadObjects(readable(body));
}

/** Texts as they are: unless told so the reader drops a byte order mark at the beginning, and takes what is no UTF-8. */
const texts = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });

/** A Parquet file as the reader takes it. */
export function readable(body: Buffer) {
  const file = body.buffer.slice(body.byteOffset, body.byteOffset + body.length) as ArrayBuffer;
  return {
    file,
    compressors: { ZSTD: (input: Uint8Array) => zstdDecompressSync(input) },
    parsers: { stringFromBytes: (bytes: Uint8Array) => bytes && texts.decode(bytes) },
  };
}
