import { z } from 'zod';
import type { DestinationContext, DestinationType, EncodedEvent, SendOutcome } from '../contract.ts';
import { openFormat } from '../formats/index.ts';
import { jsonText } from '../formats/text.ts';
import { type Classification, classify } from '../http/classify.ts';
import type { HttpAnswer } from '../http/client.ts';
import { headersSetting, httpClient, httpSettings, revealed, urlSetting } from '../http/config.ts';
import { httpDestination, joined } from '../http/destination.ts';
import { jsonOf } from '../http/json.ts';
import { within } from './event-facts.ts';
import { logRecordBytes, logsRequest, type Rejected, rejectedIn } from './otlp-protobuf.ts';

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
      outcome: (answer, batch) => outcomeOf(answer, batch, context.now(), isJson),
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

/** What may be sent again is told by the code alone: 429, 502, 503, 504. https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes */
const codes: Readonly<Record<number, Classification>> = { 500: 'refused' };

/**
 * A partial success says how many records were rejected and not which, and must not be sent again. Where all of them were, nothing
 * was taken, and the batch is halved like any that is refused.
 * @see https://opentelemetry.io/docs/specs/otlp/#partial-success-1
 */
function outcomeOf(answer: HttpAnswer, batch: readonly EncodedEvent[], now: number, isJson: boolean): SendOutcome {
  const outcome = classify(answer, { now, codes });
  if (outcome.status !== 'delivered') return outcome;
  const { count, message } = isJson ? rejectedInJson(answer.text) : rejectedIn(answer.bytes);
  if (count === 0)
    return { status: 'delivered', answer: answer.show(`HTTP ${answer.code}${message && `: ${message}`}`) };
  const said = answer.show(`${count} of ${batch.length} log records rejected: ${message}`);
  return count >= batch.length ? { status: 'refused', reason: said } : { status: 'delivered', answer: said };
}

function rejectedInJson(text: string): Rejected {
  const partial = jsonOf(text)?.partialSuccess;
  if (typeof partial !== 'object' || partial === null) return { count: 0, message: '' };
  const { rejectedLogRecords, errorMessage } = partial as Record<string, unknown>;
  // 64-bit numbers are texts in JSON.
  const isNumber = typeof rejectedLogRecords === 'string' || typeof rejectedLogRecords === 'number';
  const count = isNumber ? Number(rejectedLogRecords) : 0;
  return { count: count > 0 ? count : 0, message: typeof errorMessage === 'string' ? errorMessage : '' };
}
