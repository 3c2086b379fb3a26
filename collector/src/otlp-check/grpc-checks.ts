import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { all, failed, type GrpcCheck, type GrpcTarget, notApplicable, passed, type Seen } from './check.ts';
import { readSuccess } from './exchange.ts';
import type { GrpcAnswer } from './grpc-client.ts';
import { grpcPaths, requestOf, type Signal, signals } from './requests.ts';

/** https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
const codeNames = [
  ...['OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS'],
  ...['PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE', 'UNIMPLEMENTED'],
  ...['INTERNAL', 'UNAVAILABLE', 'DATA_LOSS', 'UNAUTHENTICATED'],
];

function told({ code, message, status }: GrpcAnswer): string {
  const details = status?.details.length ? ` with ${status.details.join(', ')}` : '';
  return `${codeNames[code] ?? 'no status'}${details}${message === '' ? '' : ` “${message}”`}`;
}

function ok(answer: GrpcAnswer): Seen {
  if (answer.code !== 0) return failed(told(answer));
  const success = readSuccess(answer.body, 'protobuf');
  if (success === undefined) return failed('OK, but the message is no Export…ServiceResponse');
  if (success.isSet) return failed(`OK with partial_success: ${success.rejected} rejected, “${success.message}”`);
  return passed('OK');
}

function codes(answer: GrpcAnswer, ...wanted: string[]): Seen {
  const name = codeNames[answer.code] ?? '';
  return wanted.includes(name) ? passed(told(answer)) : failed(`${told(answer)}, not ${wanted.join(' or ')}`);
}

function everySignal(check: (target: GrpcTarget, signal: Signal) => Promise<Seen>): GrpcCheck['run'] {
  return async (target) => {
    const seen: Seen[] = [];
    for (const signal of target.signals) {
      const { result, seen: text } = await check(target, signal);
      seen.push({ result, seen: result === 'pass' ? text : `${signal}: ${text}` });
    }
    return all(seen);
  };
}

function hugeRequest(): Buffer {
  const text = Buffer.alloc(64 * 1024 * 1024 + 1024, 'x');
  return requestOf('traces', { record: (span) => span.bytes(3, text) });
}

/** Final, so that the sender does not send it again and again. */
function tooLarge(answer: GrpcAnswer): Seen {
  if (answer.code === 0) return notApplicable('taken: the limit is higher than the recommended 64 MiB');
  if (answer.status?.details.includes('RetryInfo')) return failed(`${told(answer)}: it would be sent again`);
  return codes(answer, 'RESOURCE_EXHAUSTED');
}

const callsAtOnce = 20;

/** What OTLP/gRPC asks. */
export const grpcChecks: readonly GrpcCheck[] = [
  {
    section: 'OTLP/gRPC Request',
    title: 'Export of the services is taken',
    level: 'must',
    run: async (target) => {
      const missing = signals.filter((signal) => !target.signals.includes(signal));
      if (missing.length === signals.length) return failed('no trace, metrics or logs service');
      return passed(missing.length === 0 ? 'traces, metrics, logs' : `without ${missing.join(', ')}`);
    },
  },
  {
    section: 'Protocol Details',
    title: 'uncompressed messages are taken',
    level: 'must',
    run: everySignal(async ({ client }, signal) => ok(await client.call(grpcPaths[signal], requestOf(signal)))),
  },
  {
    section: 'Protocol Details',
    title: 'gzip is taken',
    level: 'must',
    run: everySignal(async ({ client }, signal) => {
      const packed = gzipSync(requestOf(signal));
      return ok(await client.call(grpcPaths[signal], packed, { 'grpc-encoding': 'gzip' }, true));
    }),
  },
  {
    section: 'OTLP/gRPC Concurrent Requests',
    title: 'calls at once on one connection are all taken',
    level: 'should',
    run: everySignal(async ({ client }, signal) => {
      const calls = Array.from({ length: callsAtOnce }, () => client.call(grpcPaths[signal], requestOf(signal)));
      return all((await Promise.all(calls)).map(ok));
    }),
  },
  {
    section: 'Full Success (gRPC)',
    title: 'an empty request is a full success',
    level: 'must',
    run: everySignal(async ({ client }, signal) => ok(await client.call(grpcPaths[signal], Buffer.alloc(0)))),
  },
  {
    section: 'Partial Success (gRPC)',
    title: 'a span with a bad id is refused alone, with count and reason',
    level: 'ours',
    run: async ({ client, signals: taken }) => {
      if (!taken.includes('traces')) return notApplicable('no traces');
      const both = Buffer.concat([requestOf('traces'), requestOf('traces', { spanId: randomBytes(7) })]);
      const answer = await client.call(grpcPaths.traces, both);
      const success = answer.code === 0 ? readSuccess(answer.body, 'protobuf') : undefined;
      if (success === undefined) return failed(told(answer));
      if (!success.isSet) return failed('OK without partial_success: ids of the wrong length are taken or lost');
      if (success.rejected !== 1 || success.message === '') return failed(`rejected ${success.rejected}`);
      return passed(`1 rejected: “${success.message}”`);
    },
  },
  {
    section: 'Failures (gRPC)',
    title: 'bytes that cannot be decoded are final',
    level: 'must',
    run: everySignal(async ({ client }, signal) => {
      const answer = await client.call(grpcPaths[signal], Buffer.from([0x0a, 0xff, 0xff, 0x01, 0x7b]));
      return codes(answer, 'INVALID_ARGUMENT', 'INTERNAL', 'UNKNOWN', 'FAILED_PRECONDITION');
    }),
  },
  {
    section: 'Failures (gRPC)',
    title: 'bytes that cannot be decoded are INVALID_ARGUMENT with BadRequest',
    level: 'should',
    run: everySignal(async ({ client }, signal) => {
      const answer = await client.call(grpcPaths[signal], Buffer.from([0x0a, 0xff, 0xff, 0x01, 0x7b]));
      const seen = codes(answer, 'INVALID_ARGUMENT');
      if (seen.result !== 'pass' || answer.status?.details.includes('BadRequest')) return seen;
      return failed(`${told(answer)}, without BadRequest`);
    }),
  },
  {
    section: 'Failures (gRPC)',
    title: 'a method that does not exist is UNIMPLEMENTED',
    level: 'ours',
    run: async ({ client }) => {
      return codes(
        await client.call('/opentelemetry.proto.collector.Nothing/Export', Buffer.alloc(0)),
        'UNIMPLEMENTED',
      );
    },
  },
  {
    section: 'Failures (gRPC)',
    title: 'a stranger is UNAUTHENTICATED',
    level: 'must',
    run: async ({ stranger, hasCredentials, signals: [signal] }) => {
      if (!hasCredentials) return notApplicable('no --header given, so it is open');
      const answer = await stranger.call(grpcPaths[signal!], requestOf(signal!));
      if (answer.code === 0) return notApplicable('open to everybody');
      return codes(answer, 'UNAUTHENTICATED', 'PERMISSION_DENIED');
    },
  },
  {
    section: 'OTLP/gRPC Request',
    title: 'a message over the limit as sent is RESOURCE_EXHAUSTED without RetryInfo',
    level: 'must',
    run: async ({ client, signals: taken }) => {
      if (!taken.includes('traces')) return notApplicable('no traces');
      return tooLarge(await client.call(grpcPaths.traces, hugeRequest()));
    },
  },
  {
    section: 'OTLP/gRPC Request',
    title: 'a message over the limit when unpacked is RESOURCE_EXHAUSTED without RetryInfo',
    level: 'must',
    run: async ({ client, signals: taken }) => {
      if (!taken.includes('traces')) return notApplicable('no traces');
      const packed = gzipSync(hugeRequest());
      return tooLarge(await client.call(grpcPaths.traces, packed, { 'grpc-encoding': 'gzip' }, true));
    },
  },
  {
    section: 'OTLP/gRPC Throttling',
    title: 'overload is UNAVAILABLE with RetryInfo',
    level: 'should',
    run: async () => notApplicable('overload cannot be brought about from outside'),
  },
];
