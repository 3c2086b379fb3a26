import { type ErrorCode, errorCodes } from '../model/errors.ts';
import { limits } from '../model/limits.ts';
import { ProtobufWriter } from '../model/protobuf-writer.ts';
import type { Encoding, Failure, Signal } from './contract.ts';

/** Codes of google.rpc.Code: https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto */
export const grpcCode = {
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

const grpcCodes: Readonly<Record<number, number>> = {
  400: grpcCode.invalidArgument,
  401: grpcCode.unauthenticated,
  404: grpcCode.notFound,
  405: grpcCode.unimplemented,
  413: grpcCode.resourceExhausted,
  415: grpcCode.invalidArgument,
  429: grpcCode.resourceExhausted,
  503: grpcCode.unavailable,
};

export function httpStatusOf(code: ErrorCode): number {
  return errorCodes[code] || 500;
}

/** RESOURCE_EXHAUSTED says by its RetryInfo alone whether it may be tried again. */
export function grpcCodeOf(code: ErrorCode): number {
  return grpcCodes[httpStatusOf(code)] ?? grpcCode.internal;
}

/** Ends with the code in brackets; what a sender reads is never longer than it may be, and never ill-formed. */
export function failureText({ code, message }: Failure): string {
  return `${shortened(message)} (${code})`;
}

/**
 * google.rpc.Status (1 code, 2 message, 3 details as Any: 1 type_url, 2 value) with what OTLP wants in it: BadRequest
 * (1 field_violations: 2 description) for data that cannot be read, RetryInfo (1 retry_delay: 1 seconds, 2 nanos) where
 * trying again helps. https://opentelemetry.io/docs/specs/otlp/#failures
 */
export function encodeStatus(failure: Failure, encoding: Encoding): Buffer {
  const code = grpcCodeOf(failure.code);
  const message = failureText(failure);
  if (encoding === 'json') return Buffer.from(JSON.stringify({ code, message, details: jsonDetails(failure, code) }));
  const writer = new ProtobufWriter();
  writer.varint(1, code);
  writer.string(2, message);
  if (failure.status === 'retryable') {
    const { seconds, nanos } = delayOf(failure.retryAfterMs);
    any(writer, 'RetryInfo', (value) =>
      value.message(1, () => {
        if (seconds > 0) value.varint(1, seconds);
        if (nanos > 0) value.varint(2, nanos);
      }),
    );
  } else if (code === grpcCode.invalidArgument) {
    any(writer, 'BadRequest', (value) => value.message(1, () => value.string(2, message)));
  }
  return writer.take();
}

function any(writer: ProtobufWriter, type: string, write: (value: ProtobufWriter) => void): void {
  writer.message(3, () => {
    writer.string(1, `${typePrefix}${type}`);
    writer.message(2, () => write(writer));
  });
}

function jsonDetails(failure: Failure, code: number): object[] | undefined {
  if (failure.status === 'retryable') {
    return [{ '@type': `${typePrefix}RetryInfo`, retryDelay: `${failure.retryAfterMs / 1000}s` }];
  }
  if (code !== grpcCode.invalidArgument) return undefined;
  return [{ '@type': `${typePrefix}BadRequest`, fieldViolations: [{ description: failureText(failure) }] }];
}

const typePrefix = 'type.googleapis.com/google.rpc.';

function delayOf(ms: number): { readonly seconds: number; readonly nanos: number } {
  return { seconds: Math.floor(ms / 1000), nanos: Math.round((ms % 1000) * 1_000_000) };
}

const rejectedNames: Readonly<Record<Signal, string>> = {
  traces: 'rejectedSpans',
  metrics: 'rejectedDataPoints',
  logs: 'rejectedLogRecords',
};

/**
 * Export…ServiceResponse: empty on full success, `partial_success` (1) with the number of rejected records (1) and error_message (2)
 * otherwise. https://opentelemetry.io/docs/specs/otlp/#partial-success
 */
export function encodeSuccess(encoding: Encoding, signal: Signal, rejected: number, message: string): Buffer {
  const partial = rejected > 0 || message !== '';
  const text = shortened(message);
  if (encoding === 'json') {
    const body = { [rejectedNames[signal]]: String(rejected), errorMessage: text };
    return Buffer.from(JSON.stringify(partial ? { partialSuccess: body } : {}));
  }
  const writer = new ProtobufWriter();
  if (partial) {
    writer.message(1, () => {
      if (rejected > 0) writer.varint(1, rejected);
      writer.string(2, text);
    });
  }
  return writer.take();
}

/** Answers stay far below the 4 MiB that OTLP allows, and in one header where gRPC puts them there. */
function shortened(message: string): string {
  const text = message.toWellFormed();
  return text.length <= limits.answerCharsMax ? text : `${text.slice(0, limits.answerCharsMax).toWellFormed()}…`;
}
