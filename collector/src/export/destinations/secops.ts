import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { z } from 'zod';
import { SpanwardenError } from '../../model/errors.ts';
import type { ExportEvent } from '../../model/export-event.ts';
import { Secret } from '../../model/secret.ts';
import type { DestinationType } from '../contract.ts';
import { bearerToken } from '../http/bearer-token.ts';
import { classify } from '../http/classify.ts';
import { httpClient, httpSettings, urlSetting } from '../http/config.ts';
import { httpDestination, joined } from '../http/destination.ts';
import { jsonOf } from '../http/json.ts';
import { eventFacts, within } from './event-facts.ts';
import { formatOf, formatSettings } from './format-settings.ts';

const name = z.string().regex(/^[A-Za-z0-9_-]{1,100}$/, 'takes letters, digits, _ and -, at most 100');

const schema = z.strictObject({
  type: z.literal('secops'),
  location: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/, 'must be a location such as eu or us')
    .describe('Location of the instance, for example eu.'),
  project: name.describe('Google Cloud project of the instance.'),
  instance: name.describe('Customer id of the instance, a GUID.'),
  ...formatSettings(['udm', 'json', 'ocsf', 'cef', 'leef']),
  log_type: name
    .optional()
    .describe('Log type of the events where format is not udm, with a parser of yours for that format. Default none.'),
  credentials: z
    .string()
    .refine((text) => accountIn(text) !== undefined, 'must be the JSON of a service account key')
    .transform((text) => new Secret(text))
    .describe(
      'JSON key of a service account with chronicle.events.import, or chronicle.logs.import. Write it as ${file:path}.',
    ),
  url: urlSetting('https://chronicle.eu.rep.googleapis.com')
    .optional()
    .describe('Address of the API. Default https://chronicle.<location>.rep.googleapis.com.'),
  api_version: z.enum(['v1', 'v1beta', 'v1alpha']).default('v1beta').describe('Version of the API. Default v1beta.'),
  ...httpSettings,
});

/** Bytes of a request. https://docs.cloud.google.com/chronicle/docs/reference/ingestion-api */
const bytesMax = 1_000_000;
/** Of the event itself: base64 makes four bytes of three. */
const eventBytesMax = 256 * 1024;
const scope = 'https://www.googleapis.com/auth/cloud-platform';
const tokenUri = 'https://oauth2.googleapis.com/token';
const tokenSeconds = 3600;

/**
 * Google SecOps: events in its own model, or raw logs of a log type.
 * @see https://docs.cloud.google.com/chronicle/docs/reference/rest/v1beta/projects.locations.instances.events/import
 * @see https://docs.cloud.google.com/chronicle/docs/reference/rest/v1beta/projects.locations.instances.logTypes.logs/import
 */
export const secops: DestinationType<'secops', typeof schema> = {
  type: 'secops',
  schema,
  eventsDefault: ['finding', 'case'],
  open(config, context) {
    const account = accountIn(config.credentials.reveal());
    if (account === undefined) throw new Error('secops: credentials were checked by the schema');
    const client = httpClient(config, context, [config.credentials.reveal()]);
    const base = (config.url ?? `https://chronicle.${config.location}.rep.googleapis.com`).replace(/\/+$/, '');
    const instance = `projects/${config.project}/locations/${config.location}/instances/${config.instance}`;
    const isUdm = config.format === 'udm';
    if (!isUdm && config.log_type === undefined) throw withoutLogType(context.name);
    const place = isUdm ? 'events:import' : `logTypes/${config.log_type}/logs:import`;
    const url = new URL(`${base}/${config.api_version}/${instance}/${place}`);
    const format = formatOf(config);
    const inside = within(context, eventBytesMax);
    return httpDestination(client, {
      limits: { eventsMax: 1000, bytesMax: bytesMax - 64, overheadBytes: 1 },
      encode: (event) => {
        const text = format.encode(event, inside);
        return Buffer.from(isUdm ? `{"udm":${text}}` : logOf(event, text));
      },
      request: (batch) => ({
        url,
        headers: { 'content-type': 'application/json' },
        body: joined(batch, `{"inlineSource":{"${isUdm ? 'events' : 'logs'}":[`, ',', ']}}'),
        gzip: false,
      }),
      // One event that is not valid refuses the whole request with 400, as the usual meaning has it.
      outcome: (answer) => classify(answer, { now: context.now() }),
      access: bearerToken({
        client,
        now: () => context.now(),
        request: () => ({
          url: new URL(account.tokenUri),
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: Buffer.from(
            new URLSearchParams({
              grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
              assertion: assertion(account, context.now()),
            }).toString(),
          ),
          gzip: false,
        }),
      }),
    });
  },
};

function withoutLogType(name: string): SpanwardenError {
  return new SpanwardenError({
    code: 'SW_CONFIG_VALUE',
    message: `export.destinations.${name}: log_type is missing`,
    advice: 'Name a log type whose parser knows the format, or set format to udm.',
  });
}

/** `collectionTime` must be after `logEntryTime`, whatever times telemetry claims. */
function logOf(event: ExportEvent, text: string): string {
  const takenMs = Math.max(event.takenMs, 1);
  const entryMs = Math.min(eventFacts(event).timeMs, takenMs - 1);
  return JSON.stringify({
    data: Buffer.from(text).toString('base64'),
    logEntryTime: new Date(entryMs).toISOString(),
    collectionTime: new Date(takenMs).toISOString(),
  });
}

interface Account {
  readonly email: string;
  readonly keyId: string;
  readonly key: KeyObject;
  readonly tokenUri: string;
}

function accountIn(text: string): Account | undefined {
  const { client_email: email, private_key: pem, private_key_id: keyId, token_uri: uri } = jsonOf(text) ?? {};
  if (typeof email !== 'string' || typeof pem !== 'string') return undefined;
  const address = typeof uri === 'string' ? uri : tokenUri;
  try {
    const key = createPrivateKey(pem);
    const isUsable = key.asymmetricKeyType === 'rsa' && /^https?:$/.test(new URL(address).protocol);
    return isUsable ? { email, keyId: typeof keyId === 'string' ? keyId : '', key, tokenUri: address } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * What is exchanged for an access token: claims signed with the key of the account.
 * @see https://developers.google.com/identity/protocols/oauth2/service-account#authorizingrequests
 */
function assertion({ email, keyId, key, tokenUri: audience }: Account, now: number): string {
  const issued = Math.floor(now / 1000);
  const head = { alg: 'RS256', typ: 'JWT', ...(keyId !== '' && { kid: keyId }) };
  const claims = { iss: email, scope, aud: audience, iat: issued, exp: issued + tokenSeconds };
  const content = [head, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${content}.${sign('RSA-SHA256', Buffer.from(content), key).toString('base64url')}`;
}
