import { z } from 'zod';
import type { DestinationContext, DestinationType, EncodedEvent } from '../contract.ts';
import { openFormat } from '../formats/index.ts';
import { jsonText } from '../formats/text.ts';
import { headersSetting, httpClient, httpSettings, revealed, urlSetting } from '../http/config.ts';
import { httpDestination, joined } from '../http/destination.ts';
import { otlpOutcome } from '../http/otlp-answer.ts';
import { within } from './event-facts.ts';
import { logRecordBytes, logsRequest } from './otlp-protobuf.ts';

const schema = z.strictObject({
  type: z.literal('otlp'),
  url: urlSetting('https://otel.example:4318/v1/logs').describe(
    'Address for logs over OTLP/HTTP, with the path, for example https://otel.example:4318/v1/logs.',
  ),
  encoding: z
    .enum(['protobuf', 'json'])
    .default('protobuf')
    .describe('Encoding of requests, protobuf (default) or json. Every receiver takes protobuf.'),
  headers: headersSetting()
    .default({})
    .describe('Headers of each request, such as authorization: Bearer …. Default none. Write secrets as ${env:NAME}.'),
  ...httpSettings,
});

/** The OpenTelemetry Collector takes 20 MiB, others less; 4 MiB is what gRPC takes everywhere. */
const bytesMax = 4_000_000;
/** Resource and scope around the records. */
const envelopeBytes = 2048;

/**
 * Log records over OTLP/HTTP.
 * @see https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
export const otlp: DestinationType<'otlp', typeof schema> = {
  type: 'otlp',
  schema,
  eventsDefault: ['finding', 'case'],
  open(config, context) {
    const own = revealed(config.headers);
    const client = httpClient(config, context, Object.values(own));
    const url = new URL(config.url);
    const format = openFormat('otlp');
    const inside = within(context, Math.floor(bytesMax / 4));
    const isJson = config.encoding === 'json';
    const headers = { ...own, 'content-type': isJson ? 'application/json' : 'application/x-protobuf' };
    return httpDestination(client, {
      limits: { eventsMax: 1000, bytesMax: bytesMax - envelopeBytes, overheadBytes: isJson ? 1 : 6 },
      encode: (event) => {
        const text = format.encode(event, inside);
        return isJson ? Buffer.from(text) : logRecordBytes(JSON.parse(text));
      },
      request: (batch) => ({
        url,
        headers,
        body: isJson ? jsonRequest(batch, context) : logsRequest(batch, sender(context)),
        gzip: true,
      }),
      outcome: (answer, batch) => {
        const sent = { count: batch.length, noun: 'log records', encoding: config.encoding };
        return otlpOutcome(answer, sent, context.now());
      },
    });
  },
};

function sender({ product, host }: DestinationContext): {
  readonly name: string;
  readonly version: string;
  readonly host: string;
} {
  return { name: product.name.toLowerCase(), version: product.version, host: host.toWellFormed().slice(0, 255) };
}

function jsonRequest(batch: readonly EncodedEvent[], context: DestinationContext): Buffer {
  const { name, version, host } = sender(context);
  const attributes = Object.entries({ 'service.name': name, 'service.version': version, 'host.name': host }).map(
    ([key, value]) => ({ key, value: { stringValue: value } }),
  );
  const open = `{"resourceLogs":[{"resource":${jsonText({ attributes })},"scopeLogs":[{"scope":${jsonText({ name, version })},"logRecords":[`;
  return joined(batch, open, ',', ']}]}]}');
}
