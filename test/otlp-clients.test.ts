import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base';
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import { eventually } from './support/collector-process.ts';
import { testCollector } from './support/test-collector.ts';

/** OpenTelemetry's own exporters against the collector as `spanwarden serve` runs it. */
const token = 'a-token-for-this-test';
const collector = testCollector(
  `spool: { segment_age_max_ms: 50 }\nreceive: { bearer_token: ${token}, http: { listen: "127.0.0.1:0" }, grpc: { listen: "127.0.0.1:0" } }\n`,
);
const { clickhouse } = collector;

const headers = { authorization: `Bearer ${token}` };
const gzip = CompressionAlgorithm.GZIP;

const exporters: Readonly<Record<string, () => Promise<SpanExporter> | SpanExporter>> = {
  'protobuf over HTTP': () => new ProtobufExporter({ url: `${collector.url}/v1/traces`, headers }),
  'protobuf over HTTP, gzip': () =>
    new ProtobufExporter({ url: `${collector.url}/v1/traces`, headers, compression: gzip }),
  'JSON over HTTP': () => new JsonExporter({ url: `${collector.url}/v1/traces`, headers }),
  'JSON over HTTP, gzip': () => new JsonExporter({ url: `${collector.url}/v1/traces`, headers, compression: gzip }),
  gRPC: () => grpc({}),
  'gRPC, gzip': () => grpc({ compression: gzip }),
};

async function grpc(options: object): Promise<SpanExporter> {
  const { Metadata } = await import('@grpc/grpc-js');
  const metadata = new Metadata();
  metadata.set('authorization', headers.authorization);
  return new GrpcExporter({ url: collector.grpcUrl, metadata, ...options });
}

for (const [name, create] of Object.entries(exporters)) {
  test(`a span sent as ${name} is stored as it was`, async () => {
    const id = randomUUID();
    const provider = new TracerProvider({ spanProcessors: [new BatchSpanProcessor({ exporter: await create() })] });
    const attributes = { 'test.id': id, 'gen_ai.tool.name': 'search', list: ['a', 'b'], n: 42, flag: true };
    const span = provider.getTracer('clients').startSpan('execute_tool search', { attributes });
    span.addEvent('step', { at: 1.5 });
    span.end();
    await provider.shutdown();
    const [row] = await eventually('the span', async () => {
      const query = `SELECT * FROM otel_traces WHERE SpanAttributes['test.id'] = '${id}'`;
      const rows = await clickhouse.rows<Record<string, unknown>>(query);
      return rows.length > 0 ? rows : undefined;
    });
    const { traceId, spanId } = span.spanContext();
    assert.deepEqual([row!['TraceId'], row!['SpanId'], row!['SpanName']], [traceId, spanId, 'execute_tool search']);
    assert.deepEqual(row!['SpanAttributes'], {
      ...{ 'test.id': id, 'gen_ai.tool.name': 'search', list: '["a","b"]', n: '42', flag: 'true' },
    });
    assert.deepEqual(row!['Events.Name'], ['step']);
  });
}

test('without the token nothing is stored and both transports say why', async () => {
  const response = await fetch(`${collector.url}/v1/traces`, { method: 'POST' });
  assert.equal(response.status, 401);
  const refused = new GrpcExporter({ url: collector.grpcUrl });
  const result = await new Promise<{ code: number; error?: Error & { code?: number } }>((done) =>
    refused.export([], done),
  );
  assert.equal(result.error?.code, 16);
  assert.match(String(result.error?.message), /SW_HTTP_UNAUTHENTICATED/);
});
