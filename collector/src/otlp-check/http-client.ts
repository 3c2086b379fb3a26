import { Agent, request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { request as httpsRequest, Agent as SecureAgent, type AgentOptions as SecureOptions } from 'node:https';
import { answerBytesMax, answerMsMax, type RpcStatus, readStatus } from './exchange.ts';

export interface HttpAnswer {
  /** 0 when there was none. */
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Whether the connection had served a request before. */
  readonly reused: boolean;
  /** Why there was no answer. */
  readonly failure: string;
}

export interface HttpCall {
  readonly method?: string;
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: Buffer | string;
}

export interface HttpClientOptions {
  /** Whom to trust over TLS. */
  readonly secure?: SecureOptions;
  readonly answerMsMax?: number;
}

/** Requests over kept connections, with any headers and bytes. Answers are as they came: nothing is unpacked or followed. */
export class HttpClient {
  readonly #base: URL;
  readonly #headers: OutgoingHttpHeaders;
  readonly #agent: Agent;
  readonly #answerMsMax: number;

  constructor(url: string, headers: Readonly<Record<string, string>> = {}, options: HttpClientOptions = {}) {
    this.#base = new URL(url);
    this.#headers = headers;
    this.#answerMsMax = options.answerMsMax ?? answerMsMax;
    const kept = { keepAlive: true, maxSockets: 1 };
    this.#agent = this.#base.protocol === 'https:' ? new SecureAgent({ ...options.secure, ...kept }) : new Agent(kept);
  }

  close(): void {
    this.#agent.destroy();
  }

  send({ method = 'POST', path, headers, body = '' }: HttpCall): Promise<HttpAnswer> {
    const url = new URL(this.#base.pathname.replace(/\/$/, '') + path, this.#base);
    const options = {
      method,
      agent: this.#agent,
      timeout: this.#answerMsMax,
      headers: { ...this.#headers, 'content-length': Buffer.byteLength(body), ...headers },
    };
    return new Promise((done) => {
      const sending = url.protocol === 'https:' ? httpsRequest(url, options) : httpRequest(url, options);
      const fail = (failure: string) =>
        done({ status: 0, headers: {}, body: Buffer.alloc(0), reused: sending.reusedSocket, failure });
      sending.on('timeout', () => sending.destroy(new Error('no answer in time')));
      sending.on('error', (error) => fail(error.message));
      sending.on('response', (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size <= answerBytesMax) chunks.push(chunk);
        });
        response.on('error', (error) => fail(error.message));
        response.on('end', () => {
          const { statusCode: status = 0, headers } = response;
          done({ status, headers, body: Buffer.concat(chunks), reused: sending.reusedSocket, failure: '' });
        });
      });
      sending.end(body);
    });
  }
}

/** Whether an answer is written in an encoding. */
export function isIn(answer: HttpAnswer, encoding: 'protobuf' | 'json'): boolean {
  const type = String(answer.headers['content-type'] ?? '').split(';')[0]!;
  return type.trim() === (encoding === 'json' ? 'application/json' : 'application/x-protobuf');
}

export function statusIn(answer: HttpAnswer, encoding: 'protobuf' | 'json'): RpcStatus | undefined {
  return isIn(answer, encoding) ? readStatus(answer.body, encoding) : undefined;
}
