import { z } from 'zod';
import { SpanwardenError } from '../../model/errors.ts';
import type { ExportEvent } from '../../model/export-event.ts';
import { Secret } from '../../model/secret.ts';
import type { DestinationType, EncodedEvent, SendOutcome } from '../contract.ts';
import { classify } from '../http/classify.ts';
import type { HttpAnswer } from '../http/client.ts';
import { httpClient, httpSettings, secretSetting, urlSetting } from '../http/config.ts';
import { httpDestination, joined } from '../http/destination.ts';
import { jsonOf } from '../http/json.ts';
import { eventFacts, within } from './event-facts.ts';
import { formatOf, formatSettings } from './format-settings.ts';

const schema = z.strictObject({
  type: z.literal('elasticsearch'),
  url: urlSetting('https://elastic.example:9200').describe(
    'Address of Elasticsearch or OpenSearch, for example https://elastic.example:9200.',
  ),
  target: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{0,199}$/, 'takes lower-case letters, digits, . _ and -, at most 200')
    .default('logs-spanwarden.findings-default')
    .describe(
      'Data stream or index of the events. Default logs-spanwarden.findings-default, a data stream that the rule External Alerts ' +
        'of Elastic Security reads.',
    ),
  ...formatSettings(['ecs', 'ocsf', 'json']),
  api_key: secretSetting()
    .optional()
    .describe('API key, encoded, with the right create_doc on target. Default none. Write it as ${env:NAME}.'),
  username: z.string().min(1).max(256).optional().describe('User, instead of api_key. Default none.'),
  password: z
    .string()
    .min(1)
    .transform((text) => new Secret(text))
    .optional()
    .describe('Password of username. Default none. Write it as ${env:NAME} or ${file:path}.'),
  ...httpSettings,
});

/** Far below what servers take by default (http.max_content_length, 100 MB). */
const bytesMax = 10_000_000;

/** What only the answer to a bulk request needs; without it each item repeats index, id and shards. */
const filter = 'filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason,error,status';

/**
 * Elasticsearch and OpenSearch, `_bulk` with `create`: the event's id is the document's, so one that is sent twice is stored once.
 * @see https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk
 */
export const elasticsearch: DestinationType<'elasticsearch', typeof schema> = {
  type: 'elasticsearch',
  schema,
  eventsDefault: ['finding', 'case'],
  open(config, context) {
    checkCredentials(context.name, config);
    const { authorization, secrets } = credentials(config);
    const client = httpClient(config, context, secrets);
    const url = new URL(`${config.url.replace(/\/+$/, '')}/${config.target}/_bulk?${filter}`);
    const headers = { 'content-type': 'application/x-ndjson', ...authorization };
    const format = formatOf(config);
    const inside = within(context, Math.floor(bytesMax / 4));
    return httpDestination(client, {
      limits: { eventsMax: 1000, bytesMax, overheadBytes: 1 },
      encode: (event) =>
        Buffer.from(
          `${JSON.stringify({ create: { _id: event.id } })}\n${document(event, format.encode(event, inside), config.format)}`,
        ),
      // The last line must end as well.
      request: (batch) => ({ url, headers, body: joined(batch, '', '\n', '\n'), gzip: true }),
      outcome: (answer, batch) => outcomeOf(answer, batch, context.now()),
    });
  },
};

/** One way to authenticate or none: what the form of the settings cannot say. */
function checkCredentials(name: string, { api_key, username, password }: z.infer<typeof schema>): void {
  if ((username === undefined) === (password === undefined) && (api_key === undefined || username === undefined))
    return;
  throw new SpanwardenError({
    code: 'SW_CONFIG_VALUE',
    message: `export.destinations.${name}: credentials are not complete, or there are two of them`,
    advice: 'Set api_key, or username and password.',
  });
}

/** Documents of a data stream must have a time; those of ECS do. */
function document(event: ExportEvent, text: string, format: string): string {
  if (format === 'ecs') return text;
  return `{"@timestamp":"${new Date(eventFacts(event).timeMs).toISOString()}",${text.slice(1)}`;
}

function credentials({ api_key, username, password }: z.infer<typeof schema>): {
  authorization: Record<string, string>;
  secrets: string[];
} {
  if (api_key !== undefined) {
    return { authorization: { authorization: `ApiKey ${api_key.reveal()}` }, secrets: [api_key.reveal()] };
  }
  if (username === undefined || password === undefined) return { authorization: {}, secrets: [] };
  const encoded = Buffer.from(`${username}:${password.reveal()}`).toString('base64');
  return { authorization: { authorization: `Basic ${encoded}` }, secrets: [password.reveal(), encoded] };
}

function outcomeOf(answer: HttpAnswer, batch: readonly EncodedEvent[], now: number): SendOutcome {
  // A bulk request that is wrong as a whole is our form or the target, never a single event.
  if (answer.code !== 200) return classify(answer, { now, codes: { 400: 'misconfigured' } });
  if (!answer.isWhole) return { status: 'too_large', reason: `the answer of ${answer.host} was too long to be read` };
  const said = jsonOf(answer.text);
  const items = said?.items;
  if (!Array.isArray(items) || items.length !== batch.length) {
    return { status: 'misconfigured', reason: answer.show(`no answer of a bulk request: ${answer.text}`) };
  }
  return sorted(items.map(itemOf), answer);
}

interface Item {
  readonly status: number;
  readonly said: string;
}

/** `{"create":{"status":…,"error":{"type":…,"reason":…}}}`; 0 for a status that is none. */
function itemOf(item: unknown): Item {
  const { status, error } = objectIn(objectIn(item).create);
  const { type, reason } = objectIn(error);
  const said = [type, reason].filter((part) => typeof part === 'string').join(': ');
  return { status: typeof status === 'number' ? status : 0, said };
}

function objectIn(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function sorted(items: readonly Item[], answer: HttpAnswer): SendOutcome {
  const refused: { index: number; reason: string }[] = [];
  const again: number[] = [];
  let known = 0;
  for (const [index, { status, said }] of items.entries()) {
    // 409: a document with this id is there already, from the time before.
    if (status === 409) known += 1;
    // 401, 403 and 404 of an item: the right to the target, or the target itself, is missing.
    else if (status === 401 || status === 403 || status === 404) {
      return { status: 'misconfigured', reason: answer.show(`HTTP ${status} for an item: ${said}`) };
    }
    // 429 is a shard that is too busy, which says nothing about the document.
    else if (status >= 400 && status < 500 && status !== 429) {
      refused.push({ index, reason: answer.show(`HTTP ${status}: ${said}`) });
    } else if (!(status >= 200 && status < 300)) again.push(index);
  }
  if (again.length === items.length) {
    return { status: 'retryable', reason: answer.show(`HTTP ${items[0]?.status} for every item: ${items[0]?.said}`) };
  }
  const stored = items.length - refused.length - again.length;
  return {
    status: 'delivered',
    answer: `HTTP 200: ${stored} stored, ${known} of them before`,
    ...(refused.length > 0 && { refused }),
    ...(again.length > 0 && { again }),
  };
}
