import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, gunzipSync } from 'node:zlib';
import type { ErrorCode } from '../model/errors.ts';
import { limits } from '../model/limits.ts';

export type BodyOutcome =
  | { readonly status: 'ok'; readonly bytes: Buffer }
  | { readonly status: 'refused'; readonly code: ErrorCode; readonly message: string }
  | { readonly status: 'aborted' };

/** Reads a request body, at most `limits.bodyBytesMax`, and inflates it, at most to `limits.bodyInflatedBytesMax`. */
export async function readBody(request: IncomingMessage, gzip: boolean): Promise<BodyOutcome> {
  if (Number(request.headers['content-length'] ?? 0) > limits.bodyBytesMax)
    return tooLarge('body', limits.bodyBytesMax);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limits.bodyBytesMax) return tooLarge('body', limits.bodyBytesMax);
      chunks.push(chunk);
    }
  } catch {
    return { status: 'aborted' };
  }
  const sent = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size);
  return gzip ? inflate(sent) : { status: 'ok', bytes: sent };
}

const gunzipAsync = promisify(gunzip);
/** Small bodies inflate faster than a thread can be asked; large ones must not hold up the others. */
const inflateHereBytesMax = 256 * 1024;

/** Room for the output at once: text packs about eightfold, and each further piece is a call and a copy. */
const chunkBytesMin = 16 * 1024;
const chunkBytesMax = 4 * 1024 * 1024;

async function inflate(sent: Buffer): Promise<BodyOutcome> {
  const chunkSize = Math.min(chunkBytesMax, Math.max(chunkBytesMin, sent.length * 8));
  const options = { maxOutputLength: limits.bodyInflatedBytesMax, chunkSize };
  try {
    const here = sent.length <= inflateHereBytesMax;
    return { status: 'ok', bytes: here ? gunzipSync(sent, options) : await gunzipAsync(sent, options) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      return tooLarge('decompressed body', limits.bodyInflatedBytesMax);
    }
    return { status: 'refused', code: 'SW_OTLP_GZIP', message: `body is not valid gzip: ${(error as Error).message}` };
  }
}

function tooLarge(what: string, max: number): BodyOutcome {
  return {
    status: 'refused',
    code: 'SW_HTTP_BODY_TOO_LARGE',
    message: `${what} is over ${max} bytes; send smaller batches`,
  };
}
