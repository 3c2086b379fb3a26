import { promisify } from 'node:util';
import {
  constants,
  gunzip,
  gunzipSync,
  inflate,
  inflateSync,
  type ZlibOptions,
  type ZstdOptions,
  zstdDecompress,
  zstdDecompressSync,
} from 'node:zlib';
import { limits } from '../model/limits.ts';
import type { Refusal } from './contract.ts';

/** What `Content-Encoding` may say. */
export type ContentCoding = 'identity' | 'gzip' | 'deflate' | 'zstd';

/** The coding of a request; undefined for one that is not understood, such as two of them in a row. */
export function codingOf(header: string | undefined): ContentCoding | undefined {
  const name = header?.trim().toLowerCase() ?? '';
  if (name === '') return 'identity';
  return codings.find((coding) => coding === name);
}

export const codings: readonly ContentCoding[] = ['identity', 'gzip', 'deflate', 'zstd'];

/** Whether `Accept-Encoding` takes gzip: https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3 */
export function acceptsGzip(header: string | string[] | undefined): boolean {
  const weights = new Map<string, boolean>();
  for (const member of String(header ?? '')
    .toLowerCase()
    .split(',')) {
    const [name = '', ...parameters] = member.split(';').map((part) => part.trim());
    weights.set(name, !parameters.some((parameter) => /^q\s*=\s*0(?:\.0*)?$/.test(parameter)));
  }
  return weights.get('gzip') ?? weights.get('x-gzip') ?? weights.get('*') ?? false;
}

type Options = ZlibOptions & ZstdOptions;

interface Unpacker {
  here(sent: Buffer, options: Options): Buffer;
  elsewhere(sent: Buffer, options: Options): Promise<Buffer>;
}

const unpackers: Readonly<Record<Exclude<ContentCoding, 'identity'>, Unpacker>> = {
  gzip: { here: gunzipSync, elsewhere: promisify<Buffer, Options, Buffer>(gunzip) },
  deflate: { here: inflateSync, elsewhere: promisify<Buffer, Options, Buffer>(inflate) },
  zstd: { here: zstdDecompressSync, elsewhere: promisify<Buffer, Options, Buffer>(zstdDecompress) },
};

/** Small bodies unpack faster than a thread can be asked; large ones must not hold up the others. */
export const unpackHereBytesMax = 256 * 1024;

/** Room for the output at once: text packs about eightfold, and each further piece is a call and a copy. */
const chunkBytesMin = 16 * 1024;
const chunkBytesMax = 4 * 1024 * 1024;

/**
 * Gzip ends with how much comes out of it (https://www.rfc-editor.org/rfc/rfc1952#section-2.3.1): room that is not needed stays with the
 * body, and makes garbage collection hurry. Who writes something else there gets no more room than without it, and some more pieces.
 */
function roomFor(sent: Buffer, coding: ContentCoding): number {
  const guessed = Math.min(chunkBytesMax, sent.length * 8);
  if (coding !== 'gzip' || sent.length < gzipBytesMin) return guessed;
  // One more, or the full piece would be taken for one that is not the last.
  return Math.min(guessed, Math.max(sent.length, sent.readUInt32LE(sent.length - 4) + 1));
}

const gzipBytesMin = 18;

/** A zstd frame may ask for a window of gigabytes; 8 MiB is what RFC 8878 (3.1.1.1.2) recommends to support. */
const zstdParameters = { [constants.ZSTD_d_windowLogMax]: 23 };

/** What so many bytes may become: a bomb ends at its first pieces beyond it. */
export function unpackedBytesMax(sentBytes: number, bytesMax: number = limits.bodyInflatedBytesMax): number {
  const byRatio = Math.max(limits.bodyRatioFreeBytes, sentBytes * limits.bodyRatioMax);
  return Math.min(bytesMax, byRatio);
}

/** Unpacks piece by piece, at most to `unpackedBytesMax`. */
export async function unpack(
  sent: Buffer,
  coding: ContentCoding,
  bytesMax: number = limits.bodyInflatedBytesMax,
): Promise<{ readonly status: 'ok'; readonly bytes: Buffer } | Refusal> {
  if (coding === 'identity') return { status: 'ok', bytes: sent };
  const chunkSize = Math.max(chunkBytesMin, roomFor(sent, coding));
  const maxOutputLength = unpackedBytesMax(sent.length, bytesMax);
  const options: Options = { maxOutputLength, chunkSize, ...(coding === 'zstd' && { params: zstdParameters }) };
  const unpacker = unpackers[coding];
  try {
    const here = sent.length <= unpackHereBytesMax;
    return { status: 'ok', bytes: here ? unpacker.here(sent, options) : await unpacker.elsewhere(sent, options) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      // Which of the two bounds it was: that of the ratio is no round number.
      const what = maxOutputLength < bytesMax ? `a body of ${sent.length} bytes, decompressed,` : 'decompressed body';
      return tooLarge(what, maxOutputLength);
    }
    const message = `body is not valid ${coding}: ${(error as Error).message}`;
    return { status: 'refused', code: 'SW_OTLP_COMPRESSION', message };
  }
}

export function tooLarge(what: string, max: number): Refusal {
  const message = `${what} is over ${max} bytes; send smaller batches`;
  return { status: 'refused', code: 'SW_HTTP_BODY_TOO_LARGE', message };
}
