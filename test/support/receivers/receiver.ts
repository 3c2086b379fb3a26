import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { sampleId } from '../export-events.ts';

/**
 * What a receiver does instead of what it should:
 *
 * - `slow`: no answer at all, until it is closed;
 * - `rate_limited`: 429 with Retry-After of 7 seconds; `unavailable`: 503;
 * - `cut`: takes what came, and the connection ends in the middle of the answer;
 * - `oversize`: every body is too large; `redirect`: 307 to somewhere else.
 */
export type Fault = 'slow' | 'rate_limited' | 'unavailable' | 'cut' | 'oversize' | 'redirect';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  /** Unpacked. */
  readonly body: Buffer;
  readonly isPacked: boolean;
}

export interface Answer {
  readonly code: number;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

/** The protocol of a receiver, after what all have in common. */
export type Take = (received: Received) => Answer | Promise<Answer>;

export interface ReceiverOptions {
  /** Of a body after unpacking; more is answered 413. */
  readonly bytesMax: number;
  /** What stands in the body of 413, 429 and 503, in the words of the protocol. */
  words?(code: number): string;
  /** Paths that faults leave alone, such as the one that gives tokens. */
  readonly spared?: readonly string[];
  /** POST unless it says otherwise. */
  readonly methods?: readonly string[];
}

/** A local server that enforces what is documented of a real receiver, and remembers what it took. */
export class Receiver {
  fault: Fault | undefined;
  /** Ids of the events it has, in the order of their arrival, repetitions too. */
  readonly held: string[] = [];
  /** Texts of the events it has. */
  readonly texts: string[] = [];
  readonly requests: Received[] = [];
  readonly #take: Take;
  readonly #options: ReceiverOptions;
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  constructor(options: ReceiverOptions, take: (receiver: Receiver) => Take) {
    this.#options = options;
    this.#take = take(this);
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  /** Scheme, host and port. */
  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Notes an event as taken. */
  hold(text: string): void {
    const [id] = text.match(sampleId) ?? [];
    if (id === undefined) throw new Error(`no id of a sample in ${text.slice(0, 200)}`);
    this.held.push(id);
    this.texts.push(text);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    // Clients that go away are part of what is tested.
    request.on('error', () => undefined);
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? '/', 'http://receiver');
    const fault = this.#options.spared?.includes(url.pathname) ? undefined : this.fault;
    const answer = await this.#answer(request, url, Buffer.concat(chunks), fault);
    if (answer === undefined) return;
    const body = Buffer.from(answer.body ?? '');
    response.writeHead(answer.code, { 'content-length': String(body.length), ...answer.headers });
    if (fault !== 'cut') response.end(body);
    else response.write(body.subarray(0, body.length / 2), () => response.destroy());
  }

  async #answer(
    request: IncomingMessage,
    url: URL,
    wire: Buffer,
    fault: Fault | undefined,
  ): Promise<Answer | undefined> {
    const { methods = ['POST'] } = this.#options;
    const { method = '' } = request;
    if (!methods.includes(method)) return { code: 405 };
    const isPacked = request.headers['content-encoding'] === 'gzip';
    const body = isPacked ? gunzipSync(wire) : wire;
    const received = { method, path: url.pathname, query: url.searchParams, headers: request.headers, body, isPacked };
    this.requests.push(received);
    if (fault === 'slow') return undefined;
    if (fault === 'rate_limited') return this.#failure(429, { 'retry-after': '7' });
    if (fault === 'unavailable') return this.#failure(503);
    if (fault === 'redirect') {
      return { code: 307, headers: { location: 'http://127.0.0.1:9/login?token=leaked' }, body: 'see there' };
    }
    if (fault === 'oversize' || body.length > this.#options.bytesMax) return this.#failure(413);
    const answer = await this.#take(received);
    // An empty body cannot be cut.
    return fault === 'cut'
      ? {
          ...answer,
          body: answer.body?.length ? answer.body : ' '.repeat(100),
          code: answer.code === 204 ? 200 : answer.code,
        }
      : answer;
  }

  #failure(code: number, headers: Record<string, string> = {}): Answer {
    return { code, headers, body: this.#options.words?.(code) ?? `refused with ${code}` };
  }
}

/** Text that makes a receiver refuse the event that holds it, in the way its protocol refuses events. */
export const poison = 'Unmappable';

export function isPoisoned(text: string): boolean {
  return text.includes(poison);
}

/** The value of JSON, undefined for what is none. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function json(code: number, value: unknown, headers: Record<string, string> = {}): Answer {
  return { code, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(value) };
}
