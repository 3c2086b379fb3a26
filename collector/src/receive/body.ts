import type { IncomingMessage } from 'node:http';
import { limits } from '../model/limits.ts';
import { type ContentCoding, tooLarge, unpack } from './compression.ts';
import { type ByteBudget, busy, type Failure } from './contract.ts';

export type BodyOutcome =
  | { readonly status: 'ok'; readonly bytes: Buffer; release(): void }
  | { readonly status: 'failed'; readonly failure: Failure }
  | { readonly status: 'aborted' };

/**
 * Reads a request body, at most `limits.bodyBytesMax`, and unpacks it within `unpackedBytesMax`. What it holds is taken
 * from the budget as it arrives and given back by `release`, or at once when the body is refused.
 */
export async function readBody(
  request: IncomingMessage,
  coding: ContentCoding,
  budget: ByteBudget,
): Promise<BodyOutcome> {
  if (Number(request.headers['content-length'] ?? 0) > limits.bodyBytesMax) {
    return { status: 'failed', failure: tooLarge('body', limits.bodyBytesMax) };
  }
  const held = new Held(budget);
  const read = await readChunks(request, held);
  if (read.status !== 'ok') {
    held.release();
    return read;
  }
  const unpacked = await unpack(read.bytes, coding);
  const failure = unpacked.status !== 'ok' ? unpacked : held.take(unpacked.bytes.length - read.bytes.length);
  if (unpacked.status === 'ok' && failure === undefined) {
    return { status: 'ok', bytes: unpacked.bytes, release: () => held.release() };
  }
  held.release();
  return { status: 'failed', failure: failure as Failure };
}

async function readChunks(
  request: IncomingMessage,
  held: Held,
): Promise<{ status: 'ok'; bytes: Buffer } | Exclude<BodyOutcome, { status: 'ok' }>> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limits.bodyBytesMax) return { status: 'failed', failure: tooLarge('body', limits.bodyBytesMax) };
      const failure = held.take(chunk.length);
      if (failure !== undefined) return { status: 'failed', failure };
      chunks.push(chunk);
    }
  } catch {
    return { status: 'aborted' };
  }
  return { status: 'ok', bytes: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size) };
}

/** What one request has taken from the budget. */
class Held {
  #bytes = 0;
  readonly #budget: ByteBudget;

  constructor(budget: ByteBudget) {
    this.#budget = budget;
  }

  take(bytes: number): Failure | undefined {
    if (bytes <= 0) return undefined;
    if (!this.#budget.take(bytes)) return busy;
    this.#bytes += bytes;
    return undefined;
  }

  release(): void {
    this.#budget.giveBack(this.#bytes);
    this.#bytes = 0;
  }
}
