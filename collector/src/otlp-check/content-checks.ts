import { randomBytes } from 'node:crypto';
import type { ProtobufWriter } from '../model/protobuf-writer.ts';
import { all, failed, type HttpCheck, type HttpTarget, type Level, notApplicable, passed, type Seen } from './check.ts';
import { readSuccess } from './exchange.ts';
import { fullSuccess, refused, send, told } from './http-checks.ts';
import { isIn, statusIn } from './http-client.ts';
import { jsonRequestOf, keyValue, requestOf, type Signal, snakeCased } from './requests.ts';

type Named = Pick<HttpCheck, 'section' | 'title' | 'level'>;

/** A request that must be a full success, for each of the signals that the endpoint takes. */
function accepted(named: Named, wanted: readonly Signal[], body: (signal: Signal) => Buffer | string): HttpCheck {
  return {
    ...named,
    run: async (target) => {
      const seen: Seen[] = [];
      for (const signal of wanted.filter((each) => target.signals.includes(each))) {
        const content = body(signal);
        const encoding = typeof content === 'string' ? 'json' : 'protobuf';
        const { result, seen: text } = fullSuccess(await send(target, signal, encoding, content), encoding);
        seen.push({ result, seen: result === 'pass' ? text : `${signal}: ${text}` });
      }
      return seen.length === 0 ? notApplicable(`takes no ${wanted.join(', ')}`) : all(seen);
    },
  };
}

const every: readonly Signal[] = ['traces', 'metrics', 'logs'];

function json(section: string, title: string, level: Level, body: (signal: Signal) => object, wanted = every) {
  return accepted({ section, title, level }, wanted, (signal) => JSON.stringify(body(signal)));
}

function attributes(writer: ProtobufWriter, values: readonly ((value: ProtobufWriter) => void)[]): void {
  for (const [i, value] of values.entries()) writer.message(9, () => keyValue(writer, `check.${i}`, value));
}

const attributeValues: readonly ((value: ProtobufWriter) => void)[] = [
  () => undefined,
  (value) => value.bytes(7, Buffer.from([0, 255])),
  (value) => value.double(4, Number.NaN),
  (value) =>
    value.message(5, () => {
      value.message(1, () => value.string(1, 'mixed'));
      value.message(1, () => value.varint(3, -1n));
      value.message(1, () => value.message(6, () => value.message(1, () => keyValue(value, 'k', () => undefined))));
    }),
];

/** Field 2047 of every message around a record, with a message in it. */
function future(writer: ProtobufWriter): void {
  writer.message(2047, () => writer.string(1, 'from a later version'));
}

const unknown = { ofALaterVersion: { deep: [{ x: null }] } };

/** One good and one bad record: the bad one alone may be refused. */
async function partial(target: HttpTarget, encoding: 'protobuf' | 'json'): Promise<Seen> {
  if (!target.signals.includes('traces')) return notApplicable('no traces');
  const good = requestOf('traces');
  const body =
    encoding === 'protobuf'
      ? Buffer.concat([good, requestOf('traces', { spanId: randomBytes(7) })])
      : JSON.stringify({
          resourceSpans: [
            ...(jsonRequestOf('traces')['resourceSpans'] as object[]),
            ...(jsonRequestOf('traces', { spanId: 'abcd' })['resourceSpans'] as object[]),
          ],
        });
  const answer = await send(target, 'traces', encoding, body);
  if (answer.status === 400) {
    const status = statusIn(answer, encoding);
    return status === undefined ? failed('400 without a Status') : failed(`the good span was refused, too: 400`);
  }
  const success = answer.status === 200 && isIn(answer, encoding) ? readSuccess(answer.body, encoding) : undefined;
  if (success === undefined) return failed(told(answer, encoding));
  if (!success.isSet) return failed('200 without partial_success: ids of the wrong length are taken or lost');
  if (success.rejected !== 1 || success.message === '')
    return failed(`rejected ${success.rejected} “${success.message}”`);
  return passed(`1 rejected: “${success.message}”`);
}

/** Records where OTLP had them before 1.0: whoever still sends so may be taken, or told, but not told that all is well. */
async function former(target: HttpTarget, encoding: 'protobuf' | 'json'): Promise<Seen> {
  const seen: Seen[] = [];
  for (const signal of target.signals) {
    const body =
      encoding === 'protobuf'
        ? requestOf(signal, { scopeField: 1000 })
        : JSON.stringify(jsonRequestOf(signal)).replace('"scope', '"instrumentationLibrary');
    const answer = await send(target, signal, encoding, body);
    const success = answer.status === 200 ? readSuccess(answer.body, encoding) : undefined;
    if (success === undefined) seen.push(refused(answer, encoding, 400));
    else if (success.rejected === 1 && success.message !== '') seen.push(passed(`1 rejected: “${success.message}”`));
    else seen.push(failed(`${signal}: 200, ${success.rejected} rejected: taken, or lost in silence`));
  }
  return all(seen);
}

/** Lists in lists, in the depth that the check is about, as OTLP/JSON. */
function nestedJson(depth: number): string {
  const value = `${'{"arrayValue":{"values":['.repeat(depth)}{"intValue":"1"}${']}}'.repeat(depth)}`;
  const request = JSON.stringify(jsonRequestOf('traces', { attributes: [{ key: 'deep', value: 'HERE' }] }));
  return request.replace('"HERE"', value);
}

/** What OTLP asks of the contents of requests. */
export const contentChecks: readonly HttpCheck[] = [
  json(
    'JSON Protobuf Encoding',
    'ids are hex in any case',
    'must',
    () =>
      jsonRequestOf('traces', {
        traceId: 'ABCDEFabcdef0123456789ABCDEFabcd',
        spanId: 'ABCDEFabcdef0123',
        links: [{ traceId: 'ABCDEFabcdef0123456789ABCDEFabcd', spanId: 'ABCDEFabcdef0123' }],
      }),
    ['traces'],
  ),
  json(
    'JSON Protobuf Encoding',
    'enums are integers',
    'must',
    () => jsonRequestOf('traces', { kind: 3, status: { code: 2 } }),
    ['traces'],
  ),
  json(
    'JSON Protobuf Encoding',
    '64-bit integers are strings or numbers',
    'must',
    () =>
      jsonRequestOf('traces', {
        startTimeUnixNano: 1_700_000_000_000_000_000,
        attributes: [
          { key: 'text', value: { intValue: '9223372036854775807' } },
          { key: 'number', value: { intValue: 7 } },
        ],
      }),
    ['traces'],
  ),
  json(
    'JSON Protobuf Encoding',
    'doubles may be NaN and Infinity, bytes are base64',
    'must',
    () =>
      jsonRequestOf('traces', {
        attributes: [
          { key: 'nan', value: { doubleValue: 'NaN' } },
          { key: 'infinity', value: { doubleValue: '-Infinity' } },
          { key: 'bytes', value: { bytesValue: '/wA=' } },
        ],
      }),
    ['traces'],
  ),
  json('JSON Protobuf Encoding', 'unknown fields are ignored at any depth', 'must', (signal) =>
    jsonRequestOf(signal, {}, unknown),
  ),
  json(
    'JSON Protobuf Encoding',
    'keys in snake_case are taken, as the OpenTelemetry Collector does',
    'ours',
    (signal) => snakeCased(jsonRequestOf(signal)) as object,
  ),
  accepted(
    {
      section: 'Future Versions and Interoperability',
      title: 'unknown protobuf fields are ignored at any depth',
      level: 'must',
    },
    every,
    (signal) => requestOf(signal, { around: future, record: future, resource: future }),
  ),
  accepted(
    { section: 'Empty Telemetry Envelopes', title: 'resources and scopes without records are ignored', level: 'must' },
    every,
    (signal) => Buffer.concat([requestOf(signal, { count: 0 }), Buffer.from([0x0a, 0x00]), requestOf(signal)]),
  ),
  {
    section: 'Duplicate Data',
    title: 'the same request twice is taken twice',
    level: 'must',
    run: async (target) => {
      const [signal] = target.signals as [Signal];
      const body = requestOf(signal);
      const first = fullSuccess(await send(target, signal, 'protobuf', body), 'protobuf');
      return all([first, fullSuccess(await send(target, signal, 'protobuf', body), 'protobuf')]);
    },
  },
  accepted(
    {
      section: 'Protocol Buffers Definitions',
      title: 'attribute values may be empty, bytes, nested and mixed',
      level: 'must',
    },
    ['traces'],
    (signal) => requestOf(signal, { record: (span) => attributes(span, attributeValues) }),
  ),
  accepted(
    { section: 'Protocol Buffers Definitions', title: 'string indexes outside profiles do no harm', level: 'must' },
    ['traces'],
    (signal) =>
      requestOf(signal, {
        // AnyValue.string_value_strindex (8), KeyValue.key_strindex (3).
        record: (span) => {
          attributes(span, [(value) => value.varint(8, 1)]);
          span.message(9, () => span.varint(3, 1));
        },
      }),
  ),
  accepted(
    { section: 'Protocol Buffers Definitions', title: 'a key that comes twice does no harm', level: 'ours' },
    ['traces'],
    (signal) =>
      requestOf(signal, {
        record: (span) => {
          for (const text of ['first', 'last'])
            span.message(9, () => keyValue(span, 'twice', (value) => value.string(1, text)));
        },
      }),
  ),
  accepted(
    {
      section: 'Protocol Buffers Definitions',
      title: 'severity 0, event_name and entity_refs do no harm',
      level: 'must',
    },
    ['logs'],
    (signal) =>
      requestOf(signal, {
        record: (log) => {
          log.varint(2, 0);
          log.string(12, 'check.event');
        },
        // Resource.entity_refs (3): 2 type.
        resource: (resource) => resource.message(3, () => resource.string(2, 'service')),
      }),
  ),
  {
    section: 'Partial Success (HTTP)',
    title: 'a span with a bad id is refused alone, with count and reason, in protobuf',
    level: 'ours',
    run: (target) => partial(target, 'protobuf'),
  },
  {
    section: 'Partial Success (HTTP)',
    title: 'a span with a bad id is refused alone, with count and reason, in JSON',
    level: 'ours',
    run: (target) => partial(target, 'json'),
  },
  {
    section: 'Partial Success (HTTP)',
    title: 'records where OTLP had them before 1.0 are not lost in silence, in protobuf',
    level: 'ours',
    run: (target) => former(target, 'protobuf'),
  },
  {
    section: 'Partial Success (HTTP)',
    title: 'records where OTLP had them before 1.0 are not lost in silence, in JSON',
    level: 'ours',
    run: (target) => former(target, 'json'),
  },
  {
    section: 'Bad Data (HTTP)',
    title: 'values nested 10,000 deep are refused, never a 5xx',
    level: 'ours',
    run: async (target) => {
      if (!target.signals.includes('traces')) return notApplicable('no traces');
      const answer = await send(target, 'traces', 'json', nestedJson(10_000));
      const success = answer.status === 200 ? readSuccess(answer.body, 'json') : undefined;
      if (success?.isSet) return passed(`200, ${success.rejected} rejected: “${success.message}”`);
      return answer.status === 200 ? passed('taken') : refused(answer, 'json', 400, 413);
    },
  },
];
