import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { DestinationType } from '../contract.ts';
import { openFormat } from '../formats/index.ts';
import { bearerToken } from '../http/bearer-token.ts';
import { classify } from '../http/classify.ts';
import { httpClient, httpSettings, secretSetting, urlSetting } from '../http/config.ts';
import { httpDestination, joined } from '../http/destination.ts';
import { within } from './event-facts.ts';

const guid = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, 'must be a GUID');

const schema = z.strictObject({
  type: z.literal('sentinel'),
  url: urlSetting('https://spanwarden-abcd.westeurope-1.ingest.monitor.azure.com').describe(
    'Logs ingestion address of the data collection rule (kind Direct) or of its data collection endpoint.',
  ),
  rule_id: z
    .string()
    .regex(/^dcr-[0-9a-f]{32}$/, 'must be dcr- and 32 hex digits')
    .describe('Immutable id of the data collection rule, for example dcr-0123…'),
  stream: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9_-]{0,99}$/, 'takes letters, digits, _ and -, at most 100')
    .default('Custom-Spanwarden_CL')
    .describe('Stream of the rule. Default Custom-Spanwarden_CL.'),
  tenant_id: guid.describe('Id of the Entra tenant.'),
  client_id: guid.describe('Id of the app registration; it needs the role Monitoring Metrics Publisher on the rule.'),
  client_secret: secretSetting().describe('Secret of the app registration. Write it as ${env:NAME} or ${file:path}.'),
  login_url: urlSetting('https://login.microsoftonline.com')
    .default('https://login.microsoftonline.com')
    .describe('Where tokens come from. Default https://login.microsoftonline.com; other clouds have their own.'),
  audience: urlSetting('https://monitor.azure.com')
    .default('https://monitor.azure.com')
    .describe(
      'What tokens are for. Default https://monitor.azure.com; in other clouds https://monitor.azure.us or .cn.',
    ),
  ...httpSettings,
});

/** A call may have 1 MiB, headers and all. https://learn.microsoft.com/azure/azure-monitor/service-limits#logs-ingestion-api */
const bytesMax = 1_000_000;
const rowBytesMax = 256 * 1024;

/**
 * Microsoft Sentinel through the Logs Ingestion API of Azure Monitor: a JSON array of rows.
 * @see https://learn.microsoft.com/azure/azure-monitor/logs/logs-ingestion-api-overview
 */
export const sentinel: DestinationType<'sentinel', typeof schema> = {
  type: 'sentinel',
  schema,
  eventsDefault: ['finding', 'case'],
  open(config, context) {
    const secret = config.client_secret.reveal();
    const client = httpClient(config, context, [secret]);
    const base = config.url.replace(/\/+$/, '');
    const url = new URL(
      `${base}/dataCollectionRules/${config.rule_id}/streams/${config.stream}?api-version=2023-01-01`,
    );
    const format = openFormat('sentinel');
    const inside = within(context, rowBytesMax);
    return httpDestination(client, {
      limits: { eventsMax: 1000, bytesMax, overheadBytes: 1 },
      encode: (event) => Buffer.from(format.encode(event, inside)),
      request: (batch) => ({
        url,
        headers: { 'content-type': 'application/json', 'x-ms-client-request-id': randomUUID() },
        body: joined(batch, '[', ',', ']'),
        gzip: true,
      }),
      outcome: (answer) => classify(answer, { now: context.now() }),
      access: bearerToken({
        client,
        now: () => context.now(),
        // https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
        request: () => ({
          url: new URL(`${config.login_url.replace(/\/+$/, '')}/${config.tenant_id}/oauth2/v2.0/token`),
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: Buffer.from(
            new URLSearchParams({
              grant_type: 'client_credentials',
              client_id: config.client_id,
              client_secret: secret,
              scope: `${config.audience.replace(/\/+$/, '')}/.default`,
            }).toString(),
          ),
          gzip: false,
        }),
      }),
    });
  },
};
