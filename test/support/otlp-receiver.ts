import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

export interface ReceivedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly statusCode: number;
  readonly attributes: Record<string, unknown>;
  readonly resource: Record<string, unknown>;
}

export interface ReceivedRequest {
  readonly path: string;
  readonly headers: Record<string, string | string[] | undefined>;
  /** After decompression. */
  readonly body: Buffer;
}

export interface OtlpReceiver {
  /** Endpoint without `/v1/traces`. */
  readonly url: string;
  /** Every request, whatever its encoding. */
  readonly requests: ReceivedRequest[];
  /** The spans of all JSON requests, in order of arrival. */
  spans(): ReceivedSpan[];
  close(): Promise<void>;
}

/** A receiver of OTLP/HTTP on a free loopback port that keeps what it gets. `status` is what it answers, 'hang' never. */
export async function startOtlpReceiver(status: () => number | 'hang' = () => 200): Promise<OtlpReceiver> {
  const requests: ReceivedRequest[] = [];
  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const raw = Buffer.concat(chunks);
    const body = incoming.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
    requests.push({ path: incoming.url ?? '', headers: incoming.headers, body });
    const code = status();
    if (code === 'hang') return;
    const json = incoming.headers['content-type']?.includes('json') === true;
    response.writeHead(code, { 'content-type': incoming.headers['content-type'] }).end(json ? '{}' : undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    spans: () => requests.filter((request) => isJson(request)).flatMap((request) => spansOf(request.body)),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function isJson(request: ReceivedRequest): boolean {
  return String(request.headers['content-type']).includes('json');
}

interface Encoded {
  readonly stringValue?: string;
  readonly intValue?: number | string;
  readonly arrayValue?: { readonly values?: readonly Encoded[] };
}

type Attributes = readonly { readonly key: string; readonly value: Encoded }[];

interface TraceRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: Attributes };
    readonly scopeSpans: readonly { readonly spans: readonly EncodedSpan[] }[];
  }[];
}

interface EncodedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly status?: { readonly code?: number };
  readonly attributes: Attributes;
}

function spansOf(body: Buffer): ReceivedSpan[] {
  const { resourceSpans } = JSON.parse(body.toString()) as TraceRequest;
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans
      .flatMap(({ spans }) => spans)
      .map(({ name, traceId, spanId, parentSpanId = '', status, attributes }) => ({
        name,
        traceId,
        spanId,
        parentSpanId,
        statusCode: status?.code ?? 0,
        attributes: plain(attributes),
        resource: plain(resource.attributes),
      })),
  );
}

function plain(attributes: Attributes): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plainValue(value)]));
}

function plainValue(value: Encoded): unknown {
  if (value.arrayValue) return (value.arrayValue.values ?? []).map(plainValue);
  if (value.intValue !== undefined) return Number(value.intValue);
  return Object.values(value)[0];
}
