import { createHash, timingSafeEqual } from 'node:crypto';
import express, { type Request, type Response, type Router } from 'express';
import type { ErrorCode } from '../model/errors.ts';
import { readBody } from './body.ts';
import { type Encoding, type Signal, sendError, sendSuccess } from './responses.ts';

/** How handing a request on ended. `ok` means: on disk. */
export type OtlpOutcome =
  | { readonly status: 'ok'; readonly rejected: number; readonly message: string }
  | { readonly status: 'refused'; readonly code: ErrorCode; readonly message: string }
  | { readonly status: 'retryable'; readonly code: ErrorCode; readonly message: string; readonly retryAfterMs: number };

export interface ReceiveOptions {
  /** Senders must give this token; undefined lets everybody in. */
  readonly bearerToken: string | undefined;
  /** Hands a whole request on and resolves when its fate is known. Must not throw. */
  consume(encoding: Encoding, bytes: Buffer, signal: Signal): Promise<OtlpOutcome>;
  /** Called once per answered request. */
  answered?(httpStatus: number): void;
}

/**
 * OTLP/HTTP, https://opentelemetry.io/docs/specs/otlp/#otlphttp : POST /v1/traces and
 * /v1/logs in protobuf or JSON, plain or gzip.
 * Everything that can be refused without the body is refused before it is read; every refusal is a google.rpc.Status in
 * the encoding of the request.
 */
export function otlpHttpRouter(options: ReceiveOptions): Router {
  const router = express.Router();
  const isAuthorised = bearerCheck(options.bearerToken);
  for (const signal of ['traces', 'logs'] as const) {
    router.all(`/v1/${signal}`, async (request, response) => {
      response.once('finish', () => options.answered?.(response.statusCode));
      await receive(request, response, { ...options, signal }, isAuthorised);
    });
  }
  return router;
}

async function receive(
  request: Request,
  response: Response,
  options: ReceiveOptions & { readonly signal: Signal },
  isAuthorised: BearerCheck,
): Promise<void> {
  const type = (request.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
  const encoding: Encoding = type === 'application/x-protobuf' ? 'protobuf' : 'json';
  const refusal = refuse(request, type, isAuthorised);
  if (refusal) {
    drop(request, response);
    sendError(response, encoding, refusal.code, refusal.message, refusal.headers);
    return;
  }
  const body = await readBody(request, request.headers['content-encoding']?.trim().toLowerCase() === 'gzip');
  if (body.status === 'aborted') return;
  if (body.status === 'refused') {
    drop(request, response);
    sendError(response, encoding, body.code, body.message);
    return;
  }
  const outcome = await options.consume(encoding, body.bytes, options.signal);
  if (outcome.status === 'ok') sendSuccess(response, { encoding, ...outcome, signal: options.signal });
  else if (outcome.status === 'refused') sendError(response, encoding, outcome.code, outcome.message);
  else sendError(response, encoding, outcome.code, outcome.message, retryAfter(outcome.retryAfterMs));
}

interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function refuse(request: Request, type: string, isAuthorised: BearerCheck): Refusal | undefined {
  if (request.method !== 'POST') {
    return { code: 'SW_HTTP_METHOD', message: `use POST, not ${request.method}`, headers: { allow: 'POST' } };
  }
  if (!isAuthorised(request.headers.authorization)) {
    return {
      code: 'SW_HTTP_UNAUTHENTICATED',
      message: 'send the header `Authorization: Bearer <token>` with the token of receive.bearer_token',
      headers: { 'www-authenticate': 'Bearer' },
    };
  }
  if (type !== 'application/x-protobuf' && type !== 'application/json') {
    const message = 'Content-Type must be application/x-protobuf or application/json';
    return { code: 'SW_HTTP_CONTENT_TYPE', message };
  }
  const coding = request.headers['content-encoding']?.trim().toLowerCase();
  if (coding !== undefined && coding !== 'gzip' && coding !== 'identity') {
    return { code: 'SW_HTTP_CONTENT_ENCODING', message: 'Content-Encoding must be gzip or identity' };
  }
  return undefined;
}

/** Whether an `Authorization` header lets a request in. */
export type BearerCheck = (header: string | undefined) => boolean;

/** Hashes of equal length are compared, so that time tells nothing about the token. Without a token everybody may. */
export function bearerCheck(token: string | undefined): BearerCheck {
  if (token === undefined) return () => true;
  const wanted = sha256(token);
  return (header) => {
    const given = /^Bearer (.{1,4096})$/i.exec(header ?? '');
    return given !== null && timingSafeEqual(sha256(given[1]!), wanted);
  };
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** The rest of a refused body is not worth reading: the connection closes after the answer. */
function drop(request: Request, response: Response): void {
  if (request.complete) return;
  response.setHeader('connection', 'close');
  response.once('finish', () => request.destroy());
}

function retryAfter(ms: number): Record<string, string> {
  return { 'retry-after': String(Math.max(1, Math.ceil(ms / 1000))) };
}
