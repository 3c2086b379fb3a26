import { createHash, createHmac } from 'node:crypto';
import { z } from 'zod';
import { Secret } from '../../model/secret.ts';
import type { BatchLimits, DestinationType, EncodedEvent } from '../contract.ts';
import { openFormat } from '../formats/index.ts';
import { classify } from '../http/classify.ts';
import { headersSetting, httpClient, httpSettings, revealed, secretUrlSetting, urlSecrets } from '../http/config.ts';
import { httpDestination, joined } from '../http/destination.ts';
import { within } from './event-facts.ts';
import { formatOf, formatSettings } from './format-settings.ts';

const schema = z.strictObject({
  type: z.literal('webhook'),
  url: secretUrlSetting('https://hooks.example/spanwarden').describe(
    'Address that batches are posted to. Only its host is ever shown, as the rest may be a secret.',
  ),
  body: z
    .enum(['array', 'ndjson', 'cloudevents'])
    .default('array')
    .describe(
      'How events make a body. array (default): a JSON array. ndjson: one JSON document a line. cloudevents: a batch of CloudEvents 1.0 ' +
        'whose data is the event in the format json.',
    ),
  ...formatSettings(['json', 'ocsf', 'ecs', 'udm']),
  headers: headersSetting()
    .default({})
    .describe('Headers of each request, such as authorization: Bearer …. Default none. Write secrets as ${env:NAME}.'),
  signing_secrets: z
    .array(
      z
        .string()
        .regex(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/, 'must be whsec_ and the base64 of 24 to 64 random bytes')
        .transform((text) => new Secret(text)),
    )
    .max(4)
    .default([])
    .describe(
      'Keys that requests are signed with (HMAC-SHA256, Standard Webhooks): whsec_ and the base64 of 24 to 64 bytes. Default ' +
        'none: not signed. Two of them while a key is being replaced.',
    ),
  gzip: z
    .boolean()
    .default(false)
    .describe('Whether bodies are compressed. Default false: many receivers of webhooks do not unpack them.'),
  ...httpSettings,
});

const eventsMax = 1000;
/** Bytes of a body, a size that common servers take without being told to. */
const bytesMax = 1_000_000;
const eventBytesMax = 500_000;

/**
 * POST to an address of the user's, signed if wanted.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export const webhook: DestinationType<'webhook', typeof schema> = {
  type: 'webhook',
  schema,
  eventsDefault: ['finding', 'case'],
  open(config, context) {
    const url = new URL(config.url.reveal());
    const headers = revealed(config.headers);
    const keys = config.signing_secrets.map((secret) => secret.reveal());
    const client = httpClient(config, context, [...urlSecrets(url), ...Object.values(headers), ...keys]);
    const { contentType, open, between, close } = bodies[config.body];
    const limits: BatchLimits = { eventsMax, bytesMax, overheadBytes: between.length };
    const format = config.body === 'cloudevents' ? openFormat('cloudevents') : formatOf(config);
    const inside = within(context, eventBytesMax);
    return httpDestination(client, {
      limits,
      encode: (event) => Buffer.from(format.encode(event, inside)),
      request: (batch) => {
        const body = joined(batch, open, between, close);
        const signed = keys.length === 0 ? {} : signature(batch, body, keys, context.now());
        return { url, headers: { ...headers, 'content-type': contentType, ...signed }, body, gzip: config.gzip };
      },
      // 410 Gone: the receiver wants no more from us.
      outcome: (answer) => classify(answer, { now: context.now(), codes: { 410: 'misconfigured' } }),
    });
  },
};

const bodies = {
  array: { contentType: 'application/json', open: '[', between: ',', close: ']' },
  ndjson: { contentType: 'application/x-ndjson', open: '', between: '\n', close: '\n' },
  // https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md#4-json-batch-format
  cloudevents: { contentType: 'application/cloudevents-batch+json', open: '[', between: ',', close: ']' },
} as const;

/**
 * Headers of Standard Webhooks: what is signed is id, time and body. The id is the same whenever the same batch is sent again, so that
 * a receiver that looks at it takes each batch once.
 */
function signature(
  batch: readonly EncodedEvent[],
  body: Buffer,
  keys: readonly string[],
  now: number,
): Record<string, string> {
  const hash = createHash('sha256');
  for (const { event } of batch) hash.update(event.id).update('\n');
  const id = `msg_${hash.digest('hex').slice(0, 32)}`;
  const time = String(Math.floor(now / 1000));
  const signatures = keys.map((key) => {
    const bytes = Buffer.from(key.slice('whsec_'.length), 'base64');
    return `v1,${createHmac('sha256', bytes).update(`${id}.${time}.`).update(body).digest('base64')}`;
  });
  return { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': signatures.join(' ') };
}
