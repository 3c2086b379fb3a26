import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { acceptsGzip } from './compression.ts';
import type { Encoding, Failure, Signal } from './contract.ts';
import { encodeStatus, encodeSuccess, httpStatusOf } from './status.ts';

const contentTypes = { protobuf: 'application/x-protobuf', json: 'application/json' } as const;

interface Success {
  readonly encoding: Encoding;
  readonly signal: Signal;
  /** How many records were refused one by one, and why. */
  readonly rejected: number;
  readonly message: string;
}

/** 200 with Export…ServiceResponse. https://opentelemetry.io/docs/specs/otlp/#otlphttp-response */
export function sendSuccess(response: ServerResponse, { encoding, signal, rejected, message }: Success): void {
  send(response, 200, encoding, encodeSuccess(encoding, signal, rejected, message));
}

/** A google.rpc.Status in the request's encoding, with the HTTP status that belongs to the code; Retry-After in seconds. */
export function sendFailure(
  response: ServerResponse,
  encoding: Encoding,
  failure: Failure,
  headers: Readonly<Record<string, string>> = {},
): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (failure.status === 'retryable') {
    response.setHeader('retry-after', String(Math.max(1, Math.ceil(failure.retryAfterMs / 1000))));
  }
  send(response, httpStatusOf(failure.code), encoding, encodeStatus(failure, encoding));
}

/** Shorter answers get hardly shorter. Nearly all are: a full success is empty. */
const packedBytesMin = 512;

function send(response: ServerResponse, status: number, encoding: Encoding, body: Buffer): void {
  if (response.headersSent || response.destroyed) return;
  const isPacked = body.length >= packedBytesMin && acceptsGzip(response.req.headers['accept-encoding']);
  const sent = isPacked ? gzipSync(body) : body;
  const headers = { 'content-type': contentTypes[encoding], 'content-length': sent.length };
  response.writeHead(status, isPacked ? { ...headers, 'content-encoding': 'gzip' } : headers);
  response.end(sent);
}
