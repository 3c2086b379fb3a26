import { z } from 'zod';
import type { ExportEvent } from '../../model/export-event.ts';
import type { Level } from '../../model/severity.ts';
import type { DestinationContext, DestinationType } from '../contract.ts';
import { classify } from '../http/classify.ts';
import { httpClient, httpSettings, secretSetting, urlSetting } from '../http/config.ts';
import { httpDestination, joined } from '../http/destination.ts';
import { eventFacts, within } from './event-facts.ts';
import { formatOf, formatSettings } from './format-settings.ts';

const sites = [
  'datadoghq.com',
  'us3.datadoghq.com',
  'us5.datadoghq.com',
  'datadoghq.eu',
  'ap1.datadoghq.com',
  'ap2.datadoghq.com',
  'uk1.datadoghq.com',
  'ddog-gov.com',
  'us2.ddog-gov.com',
] as const;

const schema = z.strictObject({
  type: z.literal('datadog'),
  site: z.enum(sites).default('datadoghq.com').describe('Site of the account. Default datadoghq.com.'),
  url: urlSetting('https://http-intake.logs.datadoghq.com')
    .optional()
    .describe('Address of the intake instead of the one of site, for example of a proxy. Default none.'),
  api_key: secretSetting().describe('API key. Write it as ${env:NAME} or ${file:path}.'),
  service: z.string().min(1).max(100).default('spanwarden').describe('Service of the logs. Default spanwarden.'),
  tags: z
    .record(
      z.string().regex(/^[a-z][a-z0-9_./-]{0,99}$/, 'takes lower-case letters, digits and _ . / -'),
      z.string().regex(/^[a-z0-9_./-]{1,100}$/, 'takes lower-case letters, digits and _ . / -'),
    )
    .default({})
    .describe('Further tags, such as env: production. Default none.'),
  ...formatSettings(['json', 'ocsf', 'ecs']),
  ...httpSettings,
});

/** Of an array of logs, and of one log. https://docs.datadoghq.com/api/latest/logs/#send-logs */
const eventsMax = 1000;
const bytesMax = 5_000_000;
const logBytesMax = 1_000_000;
const envelopeBytesMax = 8192;

/**
 * Datadog's log intake: a JSON array of logs.
 * @see https://docs.datadoghq.com/api/latest/logs/#send-logs
 */
export const datadog: DestinationType<'datadog', typeof schema> = {
  type: 'datadog',
  schema,
  eventsDefault: ['finding', 'case'],
  open(config, context) {
    const key = config.api_key.reveal();
    const client = httpClient(config, context, [key]);
    const url = new URL(`${(config.url ?? `https://http-intake.logs.${config.site}`).replace(/\/+$/, '')}/api/v2/logs`);
    const headers = { 'content-type': 'application/json', 'dd-api-key': key };
    const format = formatOf(config);
    const inside = within(context, logBytesMax - envelopeBytesMax);
    return httpDestination(client, {
      limits: { eventsMax, bytesMax, overheadBytes: 1 },
      encode: (event) => Buffer.from(logOf(event, format.encode(event, inside), config, context)),
      request: (batch) => ({ url, headers, body: joined(batch, '[', ',', ']'), gzip: true }),
      outcome: (answer) => classify(answer, { now: context.now() }),
    });
  },
};

const statuses: Readonly<Record<Level, string>> = {
  informational: 'info',
  low: 'notice',
  medium: 'warning',
  high: 'error',
  critical: 'critical',
};

/**
 * Reserved attributes around the event, which stands in one of its own. Without an attribute of time Datadog takes that of the
 * arrival: logs with a time of more than 18 hours ago are not kept, and events may wait longer than that.
 */
function logOf(
  event: ExportEvent,
  text: string,
  { service, tags }: z.infer<typeof schema>,
  { host }: DestinationContext,
): string {
  const { title, level } = eventFacts(event);
  // Only values from bounded sets: a comma in a text from telemetry would begin another tag.
  const all = { ...tags, kind: event.kind, activity: event.activity, severity: level };
  const about = JSON.stringify({
    ddsource: 'spanwarden',
    ddtags: Object.entries(all)
      .map(([name, value]) => `${name}:${value}`)
      .join(','),
    hostname: host.toWellFormed().slice(0, 255),
    service,
    status: statuses[level],
    message: title.slice(0, 1000).toWellFormed(),
  });
  return `${about.slice(0, -1)},"spanwarden":${text}}`;
}
