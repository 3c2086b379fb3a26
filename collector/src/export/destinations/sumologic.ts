import { z } from 'zod';
import type { DestinationType } from '../contract.ts';
import { classify } from '../http/classify.ts';
import { httpClient, httpSettings, secretUrlSetting, urlSecrets } from '../http/config.ts';
import { httpDestination, joined } from '../http/destination.ts';
import { within } from './event-facts.ts';
import { formatOf, formatSettings } from './format-settings.ts';

const header = z
  .string()
  .regex(/^[\x20-\x7e]{1,512}$/, 'takes printable ASCII characters, at most 512')
  .optional();

const schema = z.strictObject({
  type: z.literal('sumologic'),
  url: secretUrlSetting('https://endpoint4.collection.sumologic.com/receiver/v1/http/…').describe(
    'Address of the HTTP source, which is its secret as well. Write it as ${env:NAME} or ${file:path}.',
  ),
  category: header.describe("Source category (X-Sumo-Category). Default: the source's own."),
  source_name: header.describe("Source name (X-Sumo-Name). Default: the source's own."),
  source_fields: header.describe('Fields (X-Sumo-Fields), such as environment=production. Default none.'),
  ...formatSettings(['json', 'ocsf', 'ecs', 'cef', 'leef']),
  ...httpSettings,
});

/** Sumo Logic recommends 100 KB to 1 MB for a request, and cuts messages after 64 KB. */
const bytesMax = 1_000_000;
const messageBytesMax = 64 * 1024;

/**
 * An HTTP source of Sumo Logic: one JSON document a line.
 * @see https://help.sumologic.com/docs/send-data/hosted-collectors/http-source/logs-metrics/upload-logs/
 */
export const sumologic: DestinationType<'sumologic', typeof schema> = {
  type: 'sumologic',
  schema,
  eventsDefault: ['finding', 'case'],
  open(config, context) {
    const url = new URL(config.url.reveal());
    const client = httpClient(config, context, urlSecrets(url));
    const headers = {
      'content-type': 'application/x-ndjson',
      ...(config.category !== undefined && { 'x-sumo-category': config.category }),
      ...(config.source_name !== undefined && { 'x-sumo-name': config.source_name }),
      ...(config.source_fields !== undefined && { 'x-sumo-fields': config.source_fields }),
    };
    const format = formatOf(config);
    const inside = within(context, messageBytesMax);
    return httpDestination(client, {
      limits: { eventsMax: 1000, bytesMax, overheadBytes: 1 },
      encode: (event) => Buffer.from(format.encode(event, inside)),
      request: (batch) => ({ url, headers, body: joined(batch, '', '\n', ''), gzip: true }),
      outcome: (answer) => classify(answer, { now: context.now() }),
    });
  },
};
