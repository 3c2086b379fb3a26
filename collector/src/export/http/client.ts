import {
  type IncomingHttpHeaders,
  type IncomingMessage,
  Agent as PlainAgent,
  request as requestPlain,
} from 'node:http';
import { request as requestTls, Agent as TlsAgent } from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import { isDeepStrictEqual, promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { limits } from '../../model/limits.ts';
import type { SendOutcome } from '../contract.ts';
import { deniedLiteral, publicLookup, type Resolve } from './addresses.ts';
import { failureOf } from './failures.ts';
import { type Show, shower } from './reason.ts';

const compress = promisify(gzip);
/** Of events, which are alike, the best level saves a twentieth of the bytes and takes three times as long. */
const packing = { level: constants.Z_BEST_SPEED };
/** Header lines of an answer; what receivers send is far below. */
const headerBytesMax = 16 * 1024;
const stopped = 'the collector stopped waiting for the answer';

export interface HttpClientOptions {
  /** For one exchange: connecting, sending, and reading the whole answer. Milliseconds. */
  readonly timeoutMs: number;
  /** Sent as user-agent, e.g. `spanwarden/1.0`. */
  readonly userAgent: string;
  /** Never shown, whatever a receiver answers. */
  readonly secrets: readonly string[];
  /**
   * Gives CA, certificate and key in place of the system's CAs and none; read again after a failure, as certificates are replaced while
   * the collector runs. The receiver's certificate is always verified.
   */
  readonly readTls?: (() => SecureContextOptions) | undefined;
  readonly denyPrivateAddresses: boolean;
  /** How names become addresses where private ones are denied; `dns.lookup` unless a test says otherwise. */
  readonly resolve?: Resolve;
}

export interface HttpRequest {
  /** POST unless it says otherwise. */
  readonly method?: 'GET' | 'POST' | 'PUT';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Compress the body and say so. */
  readonly gzip: boolean;
}

/** What a receiver answered, whatever the status code. */
export interface HttpAnswer {
  readonly status: 'answered';
  readonly code: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
  /** False where the answer was longer than `limits.exportAnswerBytesMax`. */
  readonly isWhole: boolean;
  /** Where the request went, without what may be secret of it. */
  readonly host: string;
  readonly show: Show;
}

/** There was no answer, or the connection ended within it. */
export interface HttpFailure {
  readonly status: 'failed';
  readonly outcome: Extract<SendOutcome, { reason: string }>;
}

/**
 * Requests over HTTP/1.1, for one destination: connections are kept and bounded, redirects are answers like others, proxies of the
 * environment are not used.
 */
export class HttpClient {
  readonly #options: HttpClientOptions;
  readonly #tokens = new Map<string, string>();
  #tls: SecureContextOptions;
  #agents: { readonly 'http:': PlainAgent; readonly 'https:': TlsAgent };
  #show: Show;

  /** Throws what `readTls` throws. */
  constructor(options: HttpClientOptions) {
    this.#options = options;
    this.#tls = options.readTls?.() ?? {};
    this.#agents = agents(options, this.#tls);
    this.#show = shower(options.secrets);
  }

  /** A token that was got while running, in the place of the one with the same name: it is shown as little as a secret. */
  hide(name: string, token: string): void {
    this.#tokens.set(name, token);
    this.#show = shower([...this.#options.secrets, ...this.#tokens.values()]);
  }

  /** Rejects only for what a header may not hold. */
  async send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer | HttpFailure> {
    const denied = this.#options.denyPrivateAddresses ? deniedLiteral(request.url.hostname) : undefined;
    if (denied) return this.#failed(denied, request.url);
    const body = request.gzip ? await compress(request.body, packing) : request.body;
    const sent = { ...request, body };
    const ending = new AbortController();
    const end = () => ending.abort();
    const deadline = setTimeout(end, this.#options.timeoutMs);
    signal.addEventListener('abort', end);
    try {
      if (signal.aborted) return failed(stopped);
      const first = await this.#exchange(sent, ending.signal);
      // A receiver closes idle connections when it likes; the request that meets that was not looked at.
      const last = first.status === 'stale' ? await this.#exchange(sent, ending.signal) : first;
      if (last.status === 'answered') return last;
      if (signal.aborted) return failed(stopped);
      if (!ending.signal.aborted) return this.#failed(last.error, request.url);
      return failed(`no answer from ${request.url.host} within timeout_ms (${this.#options.timeoutMs} ms)`);
    } finally {
      clearTimeout(deadline);
      signal.removeEventListener('abort', end);
    }
  }

  /** Closes all connections; what is under way fails. */
  async close(): Promise<void> {
    this.#agents['http:'].destroy();
    this.#agents['https:'].destroy();
  }

  #failed(error: Error, url: URL): HttpFailure {
    if (url.protocol === 'https:') this.#renewTls();
    return { status: 'failed', outcome: failureOf(error, url.host, this.#show) };
  }

  /** The failure may be that of a certificate that was replaced meanwhile. */
  #renewTls(): void {
    try {
      const tls = this.#options.readTls?.() ?? {};
      if (isDeepStrictEqual(tls, this.#tls)) return;
      const former = this.#agents;
      this.#tls = tls;
      this.#agents = agents(this.#options, tls);
      former['http:'].destroy();
      former['https:'].destroy();
    } catch {
      // Half of the files are new, or they are gone: what was read before is still the best there is.
    }
  }

  #exchange(
    { method = 'POST', url, headers, body, gzip: isPacked }: HttpRequest,
    signal: AbortSignal,
  ): Promise<HttpAnswer | { readonly status: 'broken' | 'stale'; readonly error: Error }> {
    return new Promise((done) => {
      const isTls = url.protocol === 'https:';
      const sending = (isTls ? requestTls : requestPlain)(url, {
        method,
        agent: this.#agents[isTls ? 'https:' : 'http:'],
        maxHeaderSize: headerBytesMax,
        headers: {
          'user-agent': this.#options.userAgent,
          ...(isPacked && { 'content-encoding': 'gzip' }),
          ...headers,
          'content-length': String(body.length),
        },
      });
      let response: IncomingMessage | undefined;
      const broken = (error: Error) => {
        const isStale = sending.reusedSocket && response === undefined && codeOf(error) === 'ECONNRESET';
        done({ status: isStale && !signal.aborted ? 'stale' : 'broken', error });
      };
      // Not left to the request, which stays silent about some ends of a connection, such as an answer of 101.
      signal.addEventListener('abort', () => {
        broken(new Error('aborted'));
        sending.destroy();
      });
      sending.on('error', broken);
      sending.on(
        'close',
        () => response === undefined && broken(new Error('the connection was closed without an answer')),
      );
      sending.on('response', (incoming) => {
        response = incoming;
        const ended = (bytes: Buffer, isWhole: boolean) =>
          done({
            status: 'answered',
            code: incoming.statusCode ?? 0,
            headers: incoming.headers,
            bytes,
            text: bytes.toString(),
            isWhole,
            host: url.host,
            show: this.#show,
          });
        read(incoming, ended, broken);
      });
      sending.end(body);
    });
  }
}

function agents(options: HttpClientOptions, tls: SecureContextOptions) {
  const kept = {
    keepAlive: true,
    maxSockets: limits.exportSocketsMax,
    maxFreeSockets: limits.exportSocketsMax,
    timeout: limits.exportSocketIdleMs,
    ...(options.denyPrivateAddresses && { lookup: publicLookup(options.resolve) }),
  };
  return { 'http:': new PlainAgent(kept), 'https:': new TlsAgent({ ...kept, ...tls }) };
}

/** Collects an answer up to the bound; the rest of a longer one is not waited for. */
function read(
  incoming: IncomingMessage,
  ended: (bytes: Buffer, isWhole: boolean) => void,
  broken: (error: Error) => void,
): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  incoming.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= limits.exportAnswerBytesMax) {
      chunks.push(chunk);
      return;
    }
    ended(Buffer.concat(chunks), false);
    incoming.destroy();
  });
  incoming.on('end', () => ended(Buffer.concat(chunks), true));
  incoming.on('error', broken);
  incoming.on('close', () => broken(new Error('the connection was closed within the answer')));
}

function codeOf(error: Error): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

function failed(reason: string): HttpFailure {
  return { status: 'failed', outcome: { status: 'retryable', reason } };
}
