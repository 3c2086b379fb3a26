import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { loadConfig } from '../../config/load.ts';
import { otlpJsonToProtobuf } from '../../decode/json.ts';
import { ProtobufWriter } from '../../model/protobuf-writer.ts';
import { hopsHeader, type TeeRequest } from '../../model/tee-request.ts';
import { teeEnvironment } from '../../teeing.ts';
import { otlpJson, otlpProtobuf } from '../../testing/otlp.ts';
import type { SendOutcome } from '../contract.ts';
import { emptyRequest } from './destination.ts';
import { openTee } from './tees.ts';

interface Got {
  readonly path: string;
  readonly headers: Record<string, unknown>;
  readonly body: Buffer;
}

/** What the receiver answers next. */
let next: { readonly code: number; readonly headers?: Record<string, string>; readonly body?: Buffer } = { code: 200 };
const got: Got[] = [];
const server = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const isPacked = request.headers['content-encoding'] === 'gzip';
  got.push({ path: request.url ?? '', headers: request.headers, body: isPacked ? gunzipSync(body) : body });
  response.writeHead(next.code, next.headers).end(next.body);
});
await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
after(() => server.close());
const { port } = server.address() as AddressInfo;

function opened(settings = '') {
  const text = `tee: { destinations: { t: { endpoint: "http://127.0.0.1:${port}/otel/", contents: as_sent, ${settings} } } }`;
  const config = loadConfig({ text, env: { TOKEN: 'secret-token-1' } });
  const tee = openTee(config.tee.destinations.t!, teeEnvironment(config));
  after(() => tee.destination.close());
  return tee;
}

function request(changes: Partial<TeeRequest> = {}): TeeRequest {
  const bytes = otlpProtobuf([{ name: 'a' }]);
  const common = {
    kind: 'request',
    id: '1',
    orderKey: '1',
    takenMs: 1,
    signal: 'traces',
    encoding: 'protobuf',
  } as const;
  return { ...common, hops: 0, records: 1, bytes, ...changes };
}

function send(tee: ReturnType<typeof opened>, requests: readonly TeeRequest[]): Promise<SendOutcome> {
  got.length = 0;
  const batch = requests.map((event) => ({ event, body: tee.destination.encode(event) }));
  return tee.destination.send(batch, new AbortController().signal);
}

test('requests go to the path of their signal, byte for byte, several one behind the other', async () => {
  const tee = opened('headers: { authorization: "Bearer ${env:TOKEN}" }, signals: [traces, logs]');
  const one = request();
  const other = request({ bytes: Buffer.concat([otlpProtobuf([{ name: 'b' }]), Buffer.from([0xc8, 0x30, 7])]) });
  assert.ok(tee.destination.mayJoin!(one, other));
  assert.deepEqual(await send(tee, [one, other]), { status: 'delivered', answer: 'HTTP 200' });
  const [sent] = got;
  assert.equal(sent!.path, '/otel/v1/traces');
  assert.deepEqual(sent!.body, Buffer.concat([one.bytes, other.bytes]));
  assert.deepEqual(
    ['content-type', 'content-encoding', 'authorization', hopsHeader].map((name) => sent!.headers[name]),
    ['application/x-protobuf', 'gzip', 'Bearer secret-token-1', '1'],
  );
  await send(tee, [request({ signal: 'logs', hops: 3 })]);
  assert.deepEqual([got[0]!.path, got[0]!.headers[hopsHeader]], ['/otel/v1/logs', '4']);
});

test('requests of other signals, encodings and ways do not go together', () => {
  const { mayJoin } = opened().destination;
  for (const changes of [{ signal: 'logs' }, { encoding: 'json' }, { hops: 1 }] as const) {
    assert.ok(!mayJoin!(request(), request(changes)));
    assert.ok(!mayJoin!(request(changes), request()));
  }
  assert.ok(!mayJoin!(request({ encoding: 'json' }), request({ encoding: 'json' })));
});

test('JSON goes on as it is, or as protobuf where that is wanted', async () => {
  const bytes = Buffer.from(JSON.stringify({ ...otlpJson([{ name: 'a' }]), unknown: [1] }));
  const json = request({ encoding: 'json', bytes });
  const asSent = opened('compression: none');
  const prepared = asSent.prepare(json)!;
  await send(asSent, [prepared]);
  assert.deepEqual(got[0]!.body, bytes);
  assert.deepEqual(
    [got[0]!.headers['content-type'], got[0]!.headers['content-encoding']],
    ['application/json', undefined],
  );
  const translated = opened('json: protobuf').prepare(json)!;
  const wanted = otlpJsonToProtobuf(bytes);
  assert.ok(wanted.status === 'ok');
  assert.deepEqual([translated.encoding, translated.bytes], ['protobuf', wanted.bytes]);
});

test('a tee gets its signals and its services, whole resources of which not a byte changes', () => {
  const { prepare } = opened('signals: [traces], services: ["support-*", billing]');
  assert.equal(prepare(request({ signal: 'logs' })), undefined);
  const of = (name: string) => otlpProtobuf([{ name: `span of ${name}` }], { 'service.name': name, other: 1 });
  const unknown = Buffer.from([0xc8, 0x30, 7]);
  const [wanted, other, also] = [of('Support-EU'), of('shop'), of('billing')];
  const mixed = prepare(request({ bytes: Buffer.concat([wanted, unknown, other, also]) }))!;
  assert.deepEqual(mixed.bytes, Buffer.concat([wanted, unknown, also]));
  assert.equal(prepare(request({ bytes: Buffer.concat([other, of('')]) })), undefined);
  const whole = Buffer.concat([wanted, also]);
  assert.equal(prepare(request({ bytes: whole }))!.bytes, whole);
  const json = Buffer.from(JSON.stringify(otlpJson([{ name: 'a' }], { 'service.name': 'billing' })));
  assert.equal(prepare(request({ encoding: 'json', bytes: json }))!.encoding, 'protobuf');
});

function partial(rejected: number): Buffer {
  const writer = new ProtobufWriter();
  writer.message(1, () => {
    writer.varint(1, rejected);
    writer.string(2, 'too old');
  });
  return writer.take();
}

test('answers mean what OTLP says', async () => {
  const tee = opened();
  const two = [request({ records: 2 }), request({ records: 3 })];
  const outcomes: Record<string, SendOutcome> = {};
  for (const code of [400, 401, 404, 413, 415, 429, 500, 502, 503, 504]) {
    next = { code, headers: { 'retry-after': '7' } };
    outcomes[code] = await send(tee, two);
  }
  const statuses = Object.entries(outcomes).map(([code, outcome]) => `${code} ${outcome.status}`);
  assert.deepEqual(statuses, [
    ...['400 refused', '401 misconfigured', '404 misconfigured', '413 too_large', '415 misconfigured', '429 retryable'],
    ...['500 refused', '502 retryable', '503 retryable', '504 retryable'],
  ]);
  const busy = outcomes[503]!;
  assert.ok(busy.status === 'retryable' && busy.retryAfterMs === 7000);
  next = { code: 200, body: partial(4) };
  const said = { status: 'delivered', answer: '4 of 5 spans rejected: too old', rejected: 4 };
  assert.deepEqual(await send(tee, two), said);
  next = { code: 200, body: partial(5) };
  assert.equal((await send(tee, two)).status, 'refused');
  const body = Buffer.from(JSON.stringify({ partialSuccess: { rejectedSpans: '1', errorMessage: 'no' } }));
  next = { code: 200, body };
  const json = request({ encoding: 'json', bytes: Buffer.from('{}'), records: 2 });
  assert.deepEqual(await send(tee, [json]), { status: 'delivered', answer: '1 of 2 spans rejected: no', rejected: 1 });
  next = { code: 200 };
  assert.equal((await tee.destination.send([emptyRequest('logs')], new AbortController().signal)).status, 'delivered');
});
