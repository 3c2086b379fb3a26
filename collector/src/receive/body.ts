import type { IncomingMessage } from 'node:http';
import { limits } from '../model/limits.ts';
import { Rooms } from '../model/rooms.ts';
import type { Admission, Place } from './admission.ts';
import { type ContentCoding, tooLarge, unpack, unpackHereBytesMax } from './compression.ts';
import type { Failure } from './contract.ts';

export type BodyOutcome =
  | { readonly status: 'ok'; readonly bytes: Buffer; readonly place: Place }
  | { readonly status: 'failed'; readonly failure: Failure }
  | { readonly status: 'aborted' };

/**
 * Reads a request body, at most `bytesMax`, and unpacks it within `unpackedBytesMax`, once there is room for what its head
 * announces. Who gets a place leaves it; where the body is refused, that has happened.
 */
export async function readBody(
  request: IncomingMessage,
  coding: ContentCoding,
  admission: Admission,
  bytesMax: number = limits.bodyBytesMax,
): Promise<BodyOutcome> {
  const announced = lengthOf(request);
  if ((announced ?? 0) > bytesMax) return { status: 'failed', failure: tooLarge('body', bytesMax) };
  const place = admission.enter(announced, coding !== 'identity');
  if ('status' in place) return { status: 'failed', failure: place };
  const reading = readInto(request, coding, place, { announced, bytesMax });
  const outcome = await untilStopped(admission, reading);
  if (outcome.status !== 'ok') place.leave();
  return outcome;
}

function untilStopped(admission: Admission, reading: Promise<BodyOutcome>): Promise<BodyOutcome> {
  return new Promise((done) => {
    const over = admission.whileReading((failure) => done({ status: 'failed', failure }));
    void reading.then(done).finally(over);
  });
}

interface Size {
  readonly announced: number | undefined;
  readonly bytesMax: number;
}

async function readInto(
  request: IncomingMessage,
  coding: ContentCoding,
  place: Place,
  size: Size,
): Promise<BodyOutcome> {
  const read = await readChunks(request, place, size);
  if (read.status !== 'ok' || coding === 'identity') return read;
  const unpacking = () => unpack(read.bytes, coding, size.bytesMax);
  const unpacked = await (read.bytes.length <= unpackHereBytesMax ? unpacking() : place.unpack(unpacking));
  if (unpacked.status !== 'ok') return { status: 'failed', failure: unpacked };
  const failure = place.unpacked(read.bytes.length, unpacked.bytes.length);
  return failure === undefined ? { ...unpacked, place } : { status: 'failed', failure };
}

/** Node's own parser has seen to it that the header is a number. */
function lengthOf(request: IncomingMessage): number | undefined {
  const header = request.headers['content-length'];
  return header === undefined ? undefined : Number(header);
}

async function readChunks(request: IncomingMessage, place: Place, { announced, bytesMax }: Size): Promise<BodyOutcome> {
  const joined = announced !== undefined && announced >= joinedBytesMin ? rooms.take(announced) : undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    // Left early the request stays open, for the answer.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      const at = size;
      size += chunk.length;
      if (size > bytesMax) return { status: 'failed', failure: tooLarge('body', bytesMax) };
      const failure = place.hold(size);
      if (failure !== undefined) return { status: 'failed', failure };
      if (joined === undefined) chunks.push(chunk);
      else chunk.copy(joined, at);
    }
  } catch {
    return { status: 'aborted' };
  }
  const bytes = joined ?? (chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size));
  return { status: 'ok', bytes, place };
}

/** Says that the request of a body is on disk and nobody reads the body any more. */
export function releaseBody(bytes: Buffer): void {
  rooms.giveBack(bytes);
}

const rooms = new Rooms({ sparesMax: 4, spareBytesMax: 4 * 1024 * 1024 });
/** Bodies of this size go where they belong as they come, so that they are never there twice. */
const joinedBytesMin = 256 * 1024;
