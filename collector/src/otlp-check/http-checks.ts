import { deflateSync, gunzipSync, gzipSync } from 'node:zlib';
import { all, failed, type HttpCheck, type HttpTarget, notApplicable, passed, type Seen } from './check.ts';
import { readSuccess } from './exchange.ts';
import { type HttpAnswer, isIn, statusIn } from './http-client.ts';
import { httpPaths, jsonRequestOf, requestOf, type Signal, signals } from './requests.ts';

type Encoding = 'protobuf' | 'json';

export const contentTypes: Readonly<Record<Encoding, string>> = {
  protobuf: 'application/x-protobuf',
  json: 'application/json',
};

export const encodings: readonly Encoding[] = ['protobuf', 'json'];

export function bodyOf(signal: Signal, encoding: Encoding): Buffer {
  return encoding === 'protobuf' ? requestOf(signal) : Buffer.from(JSON.stringify(jsonRequestOf(signal)));
}

export function send(
  target: Pick<HttpTarget, 'client'>,
  signal: Signal,
  encoding: Encoding,
  body: Buffer | string,
  headers: Record<string, string> = {},
): Promise<HttpAnswer> {
  const all = { 'content-type': contentTypes[encoding], ...headers };
  return target.client.send({ path: httpPaths[signal], headers: all, body });
}

/** 200 with an Export…ServiceResponse in the request's encoding and nothing rejected. */
export function fullSuccess(answer: HttpAnswer, encoding: Encoding): Seen {
  if (answer.status !== 200) return failed(told(answer, encoding));
  if (!isIn(answer, encoding)) return failed(`200 as ${answer.headers['content-type'] ?? 'no Content-Type'}`);
  const success = readSuccess(answer.body, encoding);
  if (success === undefined) return failed('200, but the body is no Export…ServiceResponse');
  if (success.isSet) return failed(`200 with partial_success: ${success.rejected} rejected, “${success.message}”`);
  return passed('200');
}

/** One of the HTTP statuses, with a Status in the request's encoding as body. */
export function refused(answer: HttpAnswer, encoding: Encoding, ...statuses: number[]): Seen {
  if (!statuses.includes(answer.status)) return failed(`${told(answer, encoding)}, not ${statuses.join(' or ')}`);
  const status = statusIn(answer, encoding);
  if (status === undefined) {
    return failed(`${answer.status} without a google.rpc.Status (${answer.headers['content-type'] ?? 'no type'})`);
  }
  return passed(`${answer.status}, Status “${status.message}”`);
}

export function told(answer: HttpAnswer, encoding: Encoding): string {
  if (answer.status === 0) return `no answer: ${answer.failure}`;
  const status = statusIn(answer, encoding);
  return status === undefined ? String(answer.status) : `${answer.status}, Status “${status.message}”`;
}

/** What every signal that the endpoint takes must do, in both encodings. */
function everywhere(
  check: (target: HttpTarget, signal: Signal, encoding: Encoding) => Promise<Seen>,
): HttpCheck['run'] {
  return async (target) => {
    const seen: Seen[] = [];
    for (const signal of target.signals) {
      for (const encoding of encodings) {
        const { result, seen: text } = await check(target, signal, encoding);
        seen.push({ result, seen: result === 'pass' ? text : `${signal}, ${encoding}: ${text}` });
      }
    }
    return all(seen);
  };
}

const over64MiB = 64 * 1024 * 1024 + 1024;

/** Valid, and 64 MiB and a little. */
function hugeRequest(): Buffer {
  const text = Buffer.alloc(over64MiB, 'x');
  return requestOf('traces', { record: (span) => span.bytes(3, text) });
}

/** Beyond the recommended limit: a larger one may be configured. */
function tooLarge(answer: HttpAnswer): Seen {
  if (answer.status === 200) return notApplicable('taken: the limit is higher than the recommended 64 MiB');
  // A server may cut the connection instead of reading on: https://www.rfc-editor.org/rfc/rfc9110#section-15.5.14
  if (answer.status === 0) return failed(`no answer: ${answer.failure}`);
  return refused(answer, 'protobuf', 413);
}

/** What OTLP/HTTP asks of requests and answers as such; `content-checks.ts` asks what is in them. */
export const httpChecks: readonly HttpCheck[] = [
  {
    section: 'OTLP/HTTP Request',
    title: 'POST to the default paths is taken',
    level: 'must',
    run: async (target) => {
      const missing = signals.filter((signal) => !target.signals.includes(signal));
      if (missing.length === signals.length) return failed('no /v1/traces, /v1/metrics or /v1/logs');
      return passed(missing.length === 0 ? 'traces, metrics, logs' : `without ${missing.join(', ')}`);
    },
  },
  {
    section: 'Protocol Details',
    title: 'uncompressed requests are taken',
    level: 'must',
    run: everywhere(async (target, signal, encoding) =>
      fullSuccess(await send(target, signal, encoding, bodyOf(signal, encoding)), encoding),
    ),
  },
  {
    section: 'Protocol Details',
    title: 'gzip is taken, with JSON too',
    level: 'must',
    run: everywhere(async (target, signal, encoding) => {
      const body = gzipSync(bodyOf(signal, encoding));
      return fullSuccess(await send(target, signal, encoding, body, { 'content-encoding': 'gzip' }), encoding);
    }),
  },
  {
    section: 'Full Success (HTTP)',
    title: 'an empty request is a full success',
    level: 'must',
    run: everywhere(async (target, signal, encoding) =>
      fullSuccess(await send(target, signal, encoding, encoding === 'json' ? '{}' : ''), encoding),
    ),
  },
  {
    section: 'OTLP/HTTP Response',
    title: 'an answer has the Content-Type of its request, with parameters in it too',
    level: 'must',
    run: async (target) => {
      const [signal] = target.signals as [Signal];
      const body = bodyOf(signal, 'json');
      const headers = { 'content-type': 'application/json; charset=utf-8' };
      const binary = fullSuccess(await send(target, signal, 'protobuf', bodyOf(signal, 'protobuf')), 'protobuf');
      return all([binary, fullSuccess(await send(target, signal, 'json', body, headers), 'json')]);
    },
  },
  {
    section: 'OTLP/HTTP Response',
    title: 'an answer is packed only if Accept-Encoding says so',
    level: 'must',
    run: everywhere(async (target, signal, encoding) => {
      const plain = await send(target, signal, encoding, bodyOf(signal, encoding));
      if ((plain.headers['content-encoding'] ?? 'identity') !== 'identity') return failed('packed without being asked');
      const asked = await send(target, signal, encoding, bodyOf(signal, encoding), { 'accept-encoding': 'gzip' });
      if (asked.headers['content-encoding'] !== 'gzip') return passed('never packed');
      gunzipSync(asked.body);
      return passed('packed when asked');
    }),
  },
  {
    section: 'OTLP/HTTP Connection',
    title: 'connections are kept, and take both encodings',
    level: 'should',
    run: async (target) => {
      const [signal] = target.signals as [Signal];
      await send(target, signal, 'protobuf', bodyOf(signal, 'protobuf'));
      const second = await send(target, signal, 'json', bodyOf(signal, 'json'));
      return second.reused ? fullSuccess(second, 'json') : failed('a new connection for each request');
    },
  },
  {
    section: 'Bad Data (HTTP)',
    title: 'bytes that cannot be decoded are 400 with a Status, and final',
    level: 'must',
    run: everywhere(async (target, signal, encoding) =>
      refused(await send(target, signal, encoding, Buffer.from([0x0a, 0xff, 0xff, 0x01, 0x7b])), encoding, 400),
    ),
  },
  {
    section: 'Bad Data (HTTP)',
    title: 'a body cut short is 400, not half a success',
    level: 'must',
    run: everywhere(async (target, signal, encoding) => {
      const body = bodyOf(signal, encoding);
      return refused(await send(target, signal, encoding, body.subarray(0, body.length - 3)), encoding, 400);
    }),
  },
  {
    section: 'Bad Data (HTTP)',
    title: 'a field of the wrong wire type is 400',
    level: 'ours',
    run: async (target) => {
      if (!target.signals.includes('traces')) return notApplicable('no traces');
      // Span.name (5) as a varint.
      const body = requestOf('traces', { record: (span) => span.varint(5, 1) });
      return refused(await send(target, 'traces', 'protobuf', body), 'protobuf', 400);
    },
  },
  {
    section: 'Bad Data (HTTP)',
    title: 'gzip that does not unpack is 400 with a Status',
    level: 'must',
    run: everywhere(async (target, signal, encoding) =>
      refused(await send(target, signal, encoding, 'no gzip', { 'content-encoding': 'gzip' }), encoding, 400),
    ),
  },
  {
    section: 'Failures (HTTP)',
    title: 'another method is 405 with a Status',
    level: 'must',
    run: everywhere(async (target, signal, encoding) => {
      const headers = { 'content-type': contentTypes[encoding] };
      return refused(await target.client.send({ method: 'PUT', path: httpPaths[signal], headers }), encoding, 405);
    }),
  },
  {
    section: 'Failures (HTTP)',
    title: 'another path is 404 with a Status',
    level: 'must',
    run: async (target) => {
      const seen: Seen[] = [];
      for (const encoding of encodings) {
        const headers = { 'content-type': contentTypes[encoding] };
        seen.push(refused(await target.client.send({ path: '/v1/nothing-here', headers }), encoding, 404));
      }
      return all(seen);
    },
  },
  {
    section: 'Failures (HTTP)',
    title: 'another Content-Type is 415 with a Status',
    level: 'must',
    run: async (target) => {
      const headers = { 'content-type': 'text/plain' };
      const answer = await send(target, target.signals[0]!, 'protobuf', 'x', headers);
      if (answer.status !== 415) return failed(`${answer.status}, not 415`);
      return all([refused(answer, isIn(answer, 'json') ? 'json' : 'protobuf', 415)]);
    },
  },
  {
    section: 'Failures (HTTP)',
    title: 'an unknown Content-Encoding is 415 with a Status',
    level: 'should',
    run: everywhere(async (target, signal, encoding) => {
      const headers = { 'content-encoding': 'x-nothing' };
      return refused(await send(target, signal, encoding, bodyOf(signal, encoding), headers), encoding, 415);
    }),
  },
  {
    section: 'Failures (HTTP)',
    title: 'codings in a row are not unpacked one after the other',
    level: 'ours',
    run: async (target) => {
      const [signal] = target.signals as [Signal];
      const body = gzipSync(deflateSync(bodyOf(signal, 'protobuf')));
      const answer = await send(target, signal, 'protobuf', body, { 'content-encoding': 'deflate, gzip' });
      return refused(answer, 'protobuf', 400, 415);
    },
  },
  {
    section: 'Failures (HTTP)',
    title: 'a stranger gets 401 with a Status',
    level: 'must',
    run: async ({ stranger, signals: [signal], hasCredentials }) => {
      if (!hasCredentials) return notApplicable('no --header given, so it is open');
      const seen: Seen[] = [];
      for (const encoding of encodings) {
        const answer = await send({ client: stranger }, signal!, encoding, bodyOf(signal!, encoding));
        if (answer.status === 200) return notApplicable('open to everybody');
        seen.push(refused(answer, encoding, 401, 403));
      }
      return all(seen);
    },
  },
  {
    section: 'OTLP/HTTP Request',
    title: 'a body over the limit as sent is 413',
    level: 'must',
    run: async (target) => {
      if (!target.signals.includes('traces')) return notApplicable('no traces');
      return tooLarge(await send(target, 'traces', 'protobuf', hugeRequest()));
    },
  },
  {
    section: 'OTLP/HTTP Request',
    title: 'a body over the limit when unpacked is 413',
    level: 'must',
    run: async (target) => {
      if (!target.signals.includes('traces')) return notApplicable('no traces');
      const headers = { 'content-encoding': 'gzip' };
      return tooLarge(await send(target, 'traces', 'protobuf', gzipSync(hugeRequest()), headers));
    },
  },
  {
    section: 'OTLP/HTTP Throttling',
    title: '429 and 503 say when to come back',
    level: 'should',
    run: async () => notApplicable('overload cannot be brought about from outside'),
  },
];
