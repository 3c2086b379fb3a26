import { z } from 'zod';
import type { Level } from '../../model/severity.ts';
import type { DestinationContext, DestinationType, SendOutcome } from '../contract.ts';
import { classify } from '../http/classify.ts';
import type { HttpAnswer } from '../http/client.ts';
import { httpClient, httpSettings, secretSetting, urlSetting } from '../http/config.ts';
import { httpDestination } from '../http/destination.ts';
import { type Message, messageOf } from './message.ts';

const schema = z.strictObject({
  type: z.literal('pagerduty'),
  routing_key: secretSetting().describe(
    'Integration key of an Events API v2 integration, 32 characters. Write it as ${env:NAME} or ${file:path}.',
  ),
  url: urlSetting('https://events.pagerduty.com')
    .default('https://events.pagerduty.com')
    .describe(
      'Address of the Events API. Default https://events.pagerduty.com; in the EU https://events.eu.pagerduty.com.',
    ),
  ...httpSettings,
});

/** https://developer.pagerduty.com/docs/events-api-v2-overview#size-limits */
const limits = { eventsMax: 1, bytesMax: 512_000, overheadBytes: 0 };
const summaryCharsMax = 1024;

/**
 * PagerDuty, Events API v2: an alert for each case (or finding), resolved when it is closed.
 * @see https://developer.pagerduty.com/docs/send-alert-event
 */
export const pagerduty: DestinationType<'pagerduty', typeof schema> = {
  type: 'pagerduty',
  schema,
  eventsDefault: ['case'],
  open(config, context) {
    const key = config.routing_key.reveal();
    const client = httpClient(config, context, [key]);
    const url = new URL(`${config.url.replace(/\/+$/, '')}/v2/enqueue`);
    return httpDestination(client, {
      limits,
      encode: (event) => Buffer.from(JSON.stringify({ ...alertOf(messageOf(event, context), context) })),
      request: ([event]) => ({
        url,
        headers: { 'content-type': 'application/json' },
        // The key is added at the last moment: bodies of events are kept in dead letters.
        body: Buffer.concat([
          Buffer.from(`{"routing_key":${JSON.stringify(key)},`),
          event?.body.subarray(1) ?? Buffer.from('}'),
        ]),
        gzip: false,
      }),
      outcome: (answer) => outcomeOf(answer, context.now()),
    });
  },
};

const severities: Readonly<Record<Level, string>> = {
  informational: 'info',
  low: 'info',
  medium: 'warning',
  high: 'error',
  critical: 'critical',
};

function alertOf(message: Message, { product, host }: DestinationContext): object {
  const { subjectId, isOver, heading, text, level, timeMs, facts, link } = message;
  if (isOver) return { event_action: 'resolve', dedup_key: subjectId };
  return {
    event_action: 'trigger',
    dedup_key: subjectId,
    client: product.name,
    ...(link !== '' && { client_url: link, links: [{ href: link, text: 'Open' }] }),
    payload: {
      summary: `${heading}: ${text}`.slice(0, summaryCharsMax).toWellFormed(),
      source: host.toWellFormed().slice(0, 255) || product.name,
      severity: severities[level],
      timestamp: new Date(timeMs).toISOString(),
      class: 'ai_agent',
      custom_details: { id: subjectId, ...Object.fromEntries(facts) },
    },
  };
}

/** `{"status":"invalid event","message":…,"errors":["Length of 'routing_key' is incorrect …"]}` is about the setup. */
function outcomeOf(answer: HttpAnswer, now: number): SendOutcome {
  const isKey = answer.code === 400 && /routing[_ ]key/i.test(answer.text);
  return classify(answer, { now, codes: isKey ? { 400: 'misconfigured' } : {} });
}
