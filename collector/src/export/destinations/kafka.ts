import { z } from 'zod';
import type { ExportEvent } from '../../model/export-event.ts';
import { limits as bounds } from '../../model/limits.ts';
import { Secret } from '../../model/secret.ts';
import type { Destination, DestinationType } from '../contract.ts';
import { compileFields, templateProblem } from '../fields.ts';
import { cloudEventAttributes } from '../formats/cloudevents.ts';
import { formatNames, openFormat } from '../formats/index.ts';
import { httpSettings, tlsFiles } from '../http/config.ts';
import { shower } from '../http/reason.ts';
import { outcomeOf } from '../kafka/outcome.ts';
import { type KafkaBroker, KafkaProducer, type KafkaRecord } from '../kafka/producer.ts';
import { within } from './event-facts.ts';
import { formatOf, formatSettings } from './format-settings.ts';

const mechanisms = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;
const portDefault = 9092;

const broker = z
  .string()
  .regex(
    /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,253})(:[1-9]\d{0,4})?$/,
    'must be a name or an address, and a port if wanted: kafka-1.example:9093, 10.0.0.7 or [fd00::7]:9093',
  )
  .refine((text) => addressOf(text).port <= 65_535, 'a port is at most 65535');

const schema = z
  .strictObject({
    type: z.literal('kafka'),
    brokers: z
      .array(broker)
      .min(1)
      .max(32)
      .describe(
        `Some brokers of the cluster, as host:port; they name the others. Without a port ${portDefault}. At most 32.`,
      ),
    topic: z
      .string()
      .regex(/^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/, 'must be 1 to 249 of A-Z a-z 0-9 . _ -')
      .describe('Topic of the events. It must be there: none is created.'),
    ...formatSettings(formatNames),
    key: z
      .string()
      .min(1)
      .max(bounds.exportFieldCharsMax)
      .superRefine((template, context) => {
        const message = templateProblem(template);
        if (message !== undefined) context.addIssue({ code: 'custom', message });
      })
      .optional()
      .describe(
        'Key of each record, with the placeholders of fields, such as {agent}. Records of one key have one partition and stay in order. ' +
          'Default: the id of the case, so that what is about one case stays in order; where there is none, or the key is empty, that of the ' +
          'chain or the finding.',
      ),
    security: z
      .enum(['tls', 'none'])
      .default('tls')
      .describe('tls (default) or none: in the clear, for brokers on this machine or a network that is trusted.'),
    sasl: z
      .strictObject({
        mechanism: z.enum(mechanisms).describe('plain, scram-sha-256 or scram-sha-512; plain over tls only.'),
        username: z.string().min(1).max(256).describe('Name to log in with.'),
        password: z
          .string()
          .min(1)
          .max(4096)
          .transform((text) => new Secret(text))
          .describe('Password of username. Write it as ${env:NAME} or ${file:path}.'),
      })
      .optional()
      .describe('How the collector logs in. Default: not at all, or by the certificate of tls.'),
    compression: z
      .enum(['none', 'gzip', 'snappy', 'lz4', 'zstd'])
      .default('none')
      .describe(
        'Compression of what is sent: none (default), gzip, snappy, lz4 or zstd. All consumers have to know it.',
      ),
    idempotent: z
      .boolean()
      .default(true)
      .describe(
        'Whether brokers drop what arrives twice because their answer was lost on the way. Default true. Brokers before 2.8 ask for the right ' +
          'IdempotentWrite.',
      ),
    message_bytes_max: z
      .int()
      .min(16_384)
      .max(bounds.exportBatchBytesMax)
      .default(1_000_000)
      .describe(
        'Bytes that are sent to a partition at once, before compression; longer texts of an event are cut. Default 1000000, below the ' +
          '1048588 that topics take unless told otherwise (max.message.bytes).',
      ),
    timeout_ms: z
      .int()
      .min(100)
      .max(300_000)
      .default(30_000)
      .describe(
        'Milliseconds for one batch: connecting, logging in, and the answer of all replicas in sync. Default 30000. What takes longer is ' +
          'sent again, so a short one makes duplicates where brokers are slow.',
      ),
    tls: httpSettings.tls,
  })
  .refine(({ security, tls }) => security === 'tls' || tls === undefined, {
    path: ['tls'],
    error: 'has a meaning with security: tls only',
  })
  .refine(({ security, sasl }) => security === 'tls' || sasl?.mechanism !== 'plain', {
    path: ['sasl'],
    error: 'plain would send the password in the clear: use security: tls, or scram-sha-512',
  });

type KafkaConfig = z.infer<typeof schema>;

/** What a record has beside key and value: lengths, offset and time, and headers with ids, names and times. */
const recordBytes = 768;
const idBytesMax = 128;
const eventsMax = 1000;

/**
 * Records in a topic of Kafka, acknowledged by all replicas in sync. The format cloudevents is in binary mode.
 * @see https://kafka.apache.org/protocol
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md
 */
export const kafka: DestinationType<'kafka', typeof schema> = {
  type: 'kafka',
  schema,
  eventsDefault: ['finding', 'case'],
  open(config, context) {
    const { sasl, tls, message_bytes_max: bytesMax } = config;
    const show = shower(sasl === undefined ? [] : [sasl.password.reveal()]);
    const isBinary = config.format === 'cloudevents';
    const format = isBinary ? openFormat('json') : formatOf(config);
    const headers = (event: ExportEvent): Record<string, string> => ({
      'content-type': format.contentType,
      event_id: event.id,
      ...(isBinary && prefixed(cloudEventAttributes(event, context))),
    });
    const keyBytesMax = config.key === undefined ? idBytesMax : 3 * bounds.exportFieldCharsMax;
    // The host stands in a header with each of its bytes escaped.
    const overheadBytes = recordBytes + keyBytesMax + 3 * Buffer.byteLength(context.host);
    const inside = within(context, bytesMax - overheadBytes);
    const keyOf = keys(config.key);
    const producer = new KafkaProducer({
      ...{ brokers: config.brokers.map(addressOf), topic: config.topic, timeoutMs: config.timeout_ms },
      ...{ compression: config.compression, idempotent: config.idempotent },
      readTls: config.security === 'tls' ? () => tlsFiles(tls ?? {}) : undefined,
      sasl: sasl && {
        mechanism: mechanismNames[sasl.mechanism],
        username: sasl.username,
        password: sasl.password.reveal(),
      },
      denyPrivateAddresses: context.denyPrivateAddresses,
    });
    return {
      limits: { eventsMax, bytesMax, overheadBytes },
      encode: (event) => Buffer.from(format.encode(event, inside)),
      send: async (batch, signal) => {
        const records = batch.map(
          ({ event, body }): KafkaRecord => ({ key: Buffer.from(keyOf(event)), value: body, headers: headers(event) }),
        );
        return outcomeOf(await producer.produce(records, signal), { show, topic: config.topic });
      },
      close: () => producer.close(),
    } satisfies Destination;
  },
};

const mechanismNames = { plain: 'PLAIN', 'scram-sha-256': 'SCRAM-SHA-256', 'scram-sha-512': 'SCRAM-SHA-512' } as const;

/** The key of an event; that by which the core keeps events in order, unless the user wants another. */
function keys(template: KafkaConfig['key']): (event: ExportEvent) => string {
  if (template === undefined) return ({ orderKey }) => orderKey;
  const fields = compileFields({ key: template });
  return (event) => fields(event).key || event.orderKey;
}

function prefixed(attributes: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) => (value === undefined ? [] : [[`ce_${name}`, value]])),
  );
}

function addressOf(text: string): KafkaBroker {
  const [, address, name, port] = /^(?:\[(.+)\]|([^:]*))(?::(\d+))?$/.exec(text) ?? [];
  return { host: address ?? name ?? '', port: port === undefined ? portDefault : Number(port) };
}
