import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exporterNames, keyValues, otlpConfigFrom, queueConfigFrom } from './otlp-config.ts';

const url = (env: Record<string, string>): string => otlpConfigFrom(env, assert.fail).url.href;

test('the endpoint: general with /v1/traces, exact for traces, loopback by default', () => {
  assert.equal(url({}), 'http://127.0.0.1:4318/v1/traces');
  assert.equal(url({ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://o.example/base/' }), 'https://o.example/base/v1/traces');
  const exact = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://t.example/x', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://o' };
  assert.equal(url(exact), 'https://t.example/x');
  for (const wrong of ['collector:4318', 'ftp://x', 'http://']) {
    assert.throws(() => url({ OTEL_EXPORTER_OTLP_ENDPOINT: wrong }), /write e\.g\. http:\/\/127\.0\.0\.1:4318/);
  }
});

test('the variables for traces come before the general ones', () => {
  const config = otlpConfigFrom(
    {
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
      OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json',
      OTEL_EXPORTER_OTLP_TIMEOUT: '500',
      OTEL_EXPORTER_OTLP_HEADERS: 'a=1,b=2',
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'b=3',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    },
    assert.fail,
  );
  assert.equal(config.format, 'json');
  assert.equal(config.timeoutMs, 500);
  assert.equal(config.gzip, true);
  assert.deepEqual(config.headers, { a: '1', b: '3' });
});

test('what cannot be used is said, with what to write, and the default taken', () => {
  const warnings: string[] = [];
  const env = {
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_EXPORTER_OTLP_TIMEOUT: 'soon',
    OTEL_EXPORTER_OTLP_CERTIFICATE: '/no',
  };
  const config = otlpConfigFrom(env, (text) => warnings.push(text));
  assert.equal(config.format, 'protobuf');
  assert.equal(config.timeoutMs, 10_000);
  assert.match(warnings.join('\n'), /write http\/protobuf or http\/json\n.*\/no cannot be read/);
});

test('key=value lists: percent-encoding, junk left out, no prototype touched', () => {
  assert.deepEqual(keyValues(' a = x%20y ,=1,b,c=d=e,%%=%%'), { a: 'x y', c: 'd=e', '%%': '%%' });
  assert.equal(Object.getPrototypeOf(keyValues('__proto__=x')), Object.prototype);
  assert.deepEqual(keyValues(undefined), {});
});

test('exporters and queue', () => {
  assert.deepEqual(exporterNames({}), ['otlp']);
  assert.deepEqual(exporterNames({ OTEL_TRACES_EXPORTER: 'otlp, console' }), ['otlp', 'console']);
  assert.deepEqual(exporterNames({ OTEL_TRACES_EXPORTER: 'none' }), []);
  assert.deepEqual(exporterNames({ OTEL_TRACES_EXPORTER: 'zipkin' }), ['otlp']);
  const queue = queueConfigFrom({ OTEL_BSP_MAX_QUEUE_SIZE: '10', OTEL_BSP_SCHEDULE_DELAY: '-1' });
  assert.deepEqual([queue.spansMax, queue.batchSpansMax, queue.delayMs], [10, 10, 1000]);
});
