import { decodeAs } from '../../../collector/src/decode/json.ts';
import { LogDecoder } from '../../../collector/src/decode/log-decoder.ts';
import { createFieldTable } from '../../../collector/src/model/fields.ts';
import { Log, type LogBatch } from '../../../collector/src/model/log-batch.ts';
import { ProtobufWriter } from '../../../collector/src/model/protobuf-writer.ts';
import { Attribute } from '../../../collector/src/model/span-batch.ts';
import { type Answer, isPoisoned, json, type Received, Receiver } from './receiver.ts';

export const otlpToken = 'otlp-token-0123456789';

const encodings: Readonly<Record<string, 'json' | 'protobuf'>> = {
  'application/json': 'json',
  'application/x-protobuf': 'protobuf',
};

/**
 * Logs over OTLP/HTTP, read by the collector's own decoder, which knows nothing of its exports.
 * https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
export class OtlpReceiver extends Receiver {
  /** Takes the first record alone, and says that it rejected the others without naming them. */
  takesOne = false;
  /** 500, which must not be sent again. */
  isBroken = false;

  constructor() {
    super({ bytesMax: 4_000_000 }, (self) => (received) => (self as OtlpReceiver).#take(received));
  }

  #take({ path, headers, body }: Received): Answer {
    if (path !== '/v1/logs') return { code: 404 };
    if (headers.authorization !== `Bearer ${otlpToken}`) return { code: 401, body: `no: ${headers.authorization}` };
    if (this.isBroken) return { code: 500 };
    const encoding = encodings[headers['content-type'] ?? ''];
    if (encoding === undefined) return { code: 415 };
    const decoder = new LogDecoder(createFieldTable());
    const decoded = decodeAs(decoder, 'logs', encoding, body);
    if (decoded.status === 'malformed') return { code: 400, body: decoded.message };
    const records = recordsIn(decoded.batch);
    const taken = records.filter((record) => !isPoisoned(record)).slice(0, this.takesOne ? 1 : undefined);
    for (const record of taken) this.hold(record);
    return answerOf(records.length - taken.length, encoding);
  }
}

/** Records as JSON: name of the event, severity, ids, body and attributes. */
function recordsIn(batch: LogBatch): string[] {
  return Array.from({ length: batch.logCount }, (_, log) => {
    const column = (name: Exclude<keyof typeof Log, 'stride'>) => batch.logs[log * Log.stride + Log[name]] ?? -1;
    const values = Array.from({ length: column('attributeCount') }, (__, index) => {
      const row = column('attributes') + index;
      return [batch.attributes[row * Attribute.stride + Attribute.type], batch.attributeValue(row)] as const;
    });
    return JSON.stringify(
      {
        eventName: batch.text(column('eventName'), column('eventNameLength')),
        severity: [column('severityNumber'), batch.text(column('severityText'), column('severityTextLength'))],
        time: batch.nanos(column('time')),
        traceId: batch.hex(column('traceId'), 16),
        spanId: batch.hex(column('spanId'), 8),
        body: batch.attributeValue(column('body')),
        values,
      },
      (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value),
    );
  });
}

/** Nothing where all was taken: the answer of a success is empty. */
function answerOf(rejected: number, encoding: 'json' | 'protobuf'): Answer {
  const errorMessage = 'records rejected';
  if (encoding === 'json') {
    return json(200, rejected > 0 ? { partialSuccess: { rejectedLogRecords: String(rejected), errorMessage } } : {});
  }
  const writer = new ProtobufWriter();
  if (rejected > 0) {
    writer.message(1, () => {
      writer.varint(1, rejected);
      writer.string(2, errorMessage);
    });
  }
  const headers = { 'content-type': 'application/x-protobuf' };
  return { code: 200, headers, body: writer.take() };
}
