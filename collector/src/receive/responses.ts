import type { ServerResponse } from 'node:http';
import { type ErrorCode, errorCodes } from '../model/errors.ts';
import { ProtobufWriter } from '../model/protobuf-writer.ts';

export type Encoding = 'protobuf' | 'json';

const contentTypes = { protobuf: 'application/x-protobuf', json: 'application/json' } as const;

export type Signal = 'traces' | 'logs';

interface Success {
  readonly encoding: Encoding;
  readonly signal: Signal;
  /** How many records were refused one by one, and why. */
  readonly rejected: number;
  readonly message: string;
}

/**
 * 200 with Export…ServiceResponse: empty on full success, `partial_success` (1) with rejected_spans or rejected_log_records (1)
 * and error_message (2) otherwise. https://opentelemetry.io/docs/specs/otlp/#otlphttp-response
 */
export function sendSuccess(response: ServerResponse, { encoding, signal, rejected, message }: Success): void {
  const partial = rejected > 0 || message !== '';
  if (encoding === 'json') {
    const count = signal === 'traces' ? 'rejectedSpans' : 'rejectedLogRecords';
    const body = partial ? { partialSuccess: { [count]: String(rejected), errorMessage: message } } : {};
    send(response, 200, encoding, Buffer.from(JSON.stringify(body)));
    return;
  }
  const writer = new ProtobufWriter();
  if (partial) {
    writer.message(1, () => {
      if (rejected > 0) writer.varint(1, rejected);
      writer.string(2, message);
    });
  }
  send(response, 200, encoding, writer.take());
}

/** A google.rpc.Status in the request's encoding, with the HTTP status that belongs to the code. */
export function sendError(
  response: ServerResponse,
  encoding: Encoding,
  code: ErrorCode,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const http = errorCodes[code] || 500;
  const text = `${message} (${code})`;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  const grpc = grpcCodes[http] ?? 13;
  if (encoding === 'json') {
    send(response, http, encoding, Buffer.from(JSON.stringify({ code: grpc, message: text })));
    return;
  }
  const writer = new ProtobufWriter();
  writer.varint(1, grpc);
  writer.string(2, text);
  send(response, http, encoding, writer.take());
}

/** https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto */
const grpcCodes: Readonly<Record<number, number>> = {
  400: 3,
  401: 16,
  404: 5,
  405: 12,
  413: 8,
  415: 3,
  429: 8,
  500: 13,
  503: 14,
};

function send(response: ServerResponse, status: number, encoding: Encoding, body: Buffer): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { 'content-type': contentTypes[encoding], 'content-length': body.length });
  response.end(body);
}
