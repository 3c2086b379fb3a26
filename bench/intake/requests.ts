import { randomFillSync } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { makeBodies, type SpanSize } from '../spans.ts';

export const protocols = ['HTTP protobuf', 'HTTP protobuf + gzip', 'HTTP JSON', 'gRPC'] as const;

export type Protocol = (typeof protocols)[number];

/** Spans of one request: as many as an SDK sends at once by default, fewer of the large ones. */
export function spansPerRequest(size: SpanSize): number {
  return size > 3_000 ? 64 : 512;
}

/**
 * Files of export requests, ready to be sent. Making spans is slow, so texts are made once for each size and encoding; ids are new
 * in every file, so that nobody sees a span twice.
 */
export class RequestFiles {
  readonly #folder: string;
  /** How many requests differ in their texts, for each size; with more they begin again. */
  readonly #distinct: ReadonlyMap<SpanSize, number>;
  #written = 0;

  constructor(folder: string, distinct: ReadonlyMap<SpanSize, number>) {
    this.#folder = folder;
    this.#distinct = distinct;
  }

  /** A new file of so many requests; the caller removes it. */
  write(size: SpanSize, protocol: Protocol, count: number): string {
    const encoding = protocol === 'HTTP JSON' ? 'json' : 'protobuf';
    const templates = this.#templates(size, encoding);
    const file = join(this.#folder, `${this.#written++}.requests`);
    writeRequests(file, count, (i) => {
      const body = Buffer.from(templates[i % templates.length]!);
      const fresh = encoding === 'json' ? withNewJsonIds(body) : withNewIds(body);
      return protocol === 'HTTP protobuf + gzip' ? gzipSync(fresh) : fresh;
    });
    return file;
  }

  #templates(size: SpanSize, encoding: 'json' | 'protobuf'): Buffer[] {
    const file = join(this.#folder, `${size}.${encoding}`);
    if (!existsSync(file)) {
      const serializer = encoding === 'json' ? JsonTraceSerializer : ProtobufTraceSerializer;
      const bodies = makeBodies(size, this.#distinct.get(size)!, spansPerRequest(size), serializer);
      writeRequests(file, bodies.length, (i) => bodies[i]!);
    }
    return readRequests(file);
  }
}

export function readRequests(file: string): Buffer[] {
  const all = readFileSync(file);
  const requests: Buffer[] = [];
  for (let at = 0; at < all.length; ) {
    const end = at + 4 + all.readUInt32LE(at);
    requests.push(all.subarray(at + 4, end));
    at = end;
  }
  return requests;
}

function writeRequests(file: string, count: number, request: (i: number) => Buffer): void {
  const descriptor = openSync(file, 'w');
  for (let i = 0; i < count; i++) {
    const body = request(i);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(body.length);
    writeSync(descriptor, length);
    writeSync(descriptor, body);
  }
  closeSync(descriptor);
}

/** Trace and span id stand one after the other in a span; ids in attributes are 24 digits, as spans.ts makes them. */
function withNewIds(body: Buffer): Buffer {
  const traceId = Buffer.from([0x0a, 16]);
  for (let at = body.indexOf(traceId); at >= 0; at = body.indexOf(traceId, at + 1)) {
    if (body[at + 18] !== 0x12 || body[at + 19] !== 8) continue;
    randomFillSync(body, at + 2, 16);
    randomFillSync(body, at + 20, 8);
    at += 27;
  }
  for (const { index } of body.toString('latin1').matchAll(/[0-9a-f]{24}/g)) newDigits(body, index, 24);
  return body;
}

function withNewJsonIds(body: Buffer): Buffer {
  for (const { 0: digits, index } of body.toString('latin1').matchAll(/[0-9a-f]{16,}/g)) {
    // Times are digits as well.
    if (/[a-f]/.test(digits)) newDigits(body, index, digits.length);
  }
  return body;
}

function newDigits(body: Buffer, at: number, length: number): void {
  body.write(randomFillSync(Buffer.alloc(length >> 1)).toString('hex'), at, 'latin1');
}
