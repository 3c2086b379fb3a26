import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import type { ExportEvent } from '../../model/export-event.ts';
import type { DestinationContext, DestinationType, EncodedEvent, SendOutcome } from '../contract.ts';
import { classify } from '../http/classify.ts';
import type { HttpAnswer, HttpClient } from '../http/client.ts';
import { httpClient, httpSettings, secretSetting, urlSetting } from '../http/config.ts';
import { httpDestination, joined } from '../http/destination.ts';
import { jsonOf } from '../http/json.ts';
import { eventFacts, within } from './event-facts.ts';
import { plainJson } from './plain-json.ts';

const metadata = z.string().min(1).max(256).optional();

const schema = z.strictObject({
  type: z.literal('splunk_hec'),
  url: urlSetting('https://splunk.example:8088').describe(
    'Address of the HTTP Event Collector without a path, for example https://splunk.example:8088, or of Splunk Cloud: ' +
      'https://http-inputs-<stack>.splunkcloud.com.',
  ),
  token: secretSetting().describe('Token of the HTTP Event Collector. Write it as ${env:NAME} or ${file:path}.'),
  index: metadata.describe("Index of the events. Default: the token's own. The token must allow it."),
  source: metadata.describe('Source of the events. Default: spanwarden.'),
  sourcetype: metadata.describe(
    'Source type of the events. Default: spanwarden:finding and spanwarden:case, which the add-on knows.',
  ),
  acknowledge: z
    .boolean()
    .default(false)
    .describe(
      'Whether to wait until events are indexed (indexer acknowledgement). Default false: they count as delivered when Splunk took ' +
        'them. Splunk Enterprise only, for tokens that have it, and behind a load balancer only with sticky sessions.',
    ),
  acknowledge_ms: z
    .int()
    .min(1_000)
    .max(300_000)
    .default(60_000)
    .describe('Milliseconds to wait for that. Default 60000. What is not indexed until then is sent again.'),
  batch_bytes_max: z
    .int()
    .min(65_536)
    .max(8_000_000)
    .default(1_000_000)
    .describe('Bytes of one request before compression. Default 1000000, which Splunk recommends as the most.'),
  ...httpSettings,
});

/** The envelope's own fields, its `fields` included. */
const envelopeBytesMax = 4096;
const pollMsMin = 100;
const pollMsMax = 5_000;

/**
 * Splunk's HTTP Event Collector, event endpoint: JSON objects one after the other.
 * @see https://help.splunk.com/en/splunk-enterprise/get-data-in/collect-http-event-data/format-events-for-http-event-collector
 */
export const splunkHec: DestinationType<'splunk_hec', typeof schema> = {
  type: 'splunk_hec',
  schema,
  eventsDefault: ['finding', 'case'],
  open(config, context) {
    const token = config.token.reveal();
    const client = httpClient(config, context, [token]);
    const base = config.url.replace(/\/+$/, '');
    const headers = {
      authorization: `Splunk ${token}`,
      'content-type': 'application/json',
      // Acknowledgements are numbered per channel. https://help.splunk.com/splunk-enterprise/get-data-in/collect-http-event-data/about-http-event-collector-indexer-acknowledgment
      ...(config.acknowledge && { 'x-splunk-request-channel': randomUUID() }),
    };
    const acknowledgements = {
      client,
      url: new URL(`${base}/services/collector/ack`),
      headers,
      waitMs: config.acknowledge_ms,
    };
    const url = new URL(`${base}/services/collector/event`);
    const inside = within(context, Math.floor(config.batch_bytes_max / 2) - envelopeBytesMax);
    return httpDestination(client, {
      limits: { eventsMax: 1000, bytesMax: config.batch_bytes_max, overheadBytes: 1 },
      encode: (event) => Buffer.from(envelope(event, plainJson.encode(event, inside), config, context)),
      request: (batch) => ({ url, headers, body: joined(batch, '', '\n', ''), gzip: true }),
      outcome: (answer, batch, signal) => {
        const outcome = outcomeOf(answer, batch, context.now());
        return config.acknowledge && outcome.status === 'delivered' && answer.code === 200
          ? acknowledged(answer, outcome, acknowledgements, signal)
          : outcome;
      },
    });
  },
};

function envelope(
  event: ExportEvent,
  text: string,
  { index, source, sourcetype }: z.infer<typeof schema>,
  { host }: DestinationContext,
): string {
  const { timeMs, level, rules, agents, traceId } = eventFacts(event);
  const about = JSON.stringify({
    time: timeMs / 1000,
    host: host.toWellFormed().slice(0, 255),
    source: source ?? 'spanwarden',
    sourcetype: sourcetype ?? `spanwarden:${event.kind}`,
    ...(index !== undefined && { index }),
    // Indexed fields cost space for ever: only what searches begin with. Values after 1,000 characters would be cut there.
    fields: fieldsOf({
      event_id: event.id,
      severity: level,
      rule_id: rules[0]?.id,
      agent: agents[0],
      trace_id: traceId,
    }),
  });
  return `${about.slice(0, -1)},"event":${text}}`;
}

function fieldsOf(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const filled = Object.entries(values).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, value.slice(0, 256).toWellFormed()] as const],
  );
  return Object.fromEntries(filled);
}

/**
 * Codes that say which event of the request is wrong: 6 invalid data format, 12 event field required, 13 event field blank, 15 error
 * in indexed fields. Splunk reads a request event by event, so those before it are taken and those after it are not.
 * @see https://help.splunk.com/en/splunk-enterprise/get-data-in/collect-http-event-data/troubleshoot-http-event-collector
 */
const codesOfOneEvent = new Set([6, 12, 13, 15]);

/** 5 no data; others of 400 are about the token, its indexes and channels, so about the setup. */
function outcomeOf(answer: HttpAnswer, batch: readonly EncodedEvent[], now: number): SendOutcome {
  if (answer.code !== 400) return classify(answer, { now });
  const said = jsonOf(answer.text);
  const code = said?.code;
  if (typeof code !== 'number' || !codesOfOneEvent.has(code)) {
    return classify(answer, { now, codes: { 400: 'misconfigured' } });
  }
  const index = said?.['invalid-event-number'];
  if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= batch.length) {
    return classify(answer, { now, codes: { 400: 'refused' } });
  }
  const reason = answer.show(`HTTP 400: ${answer.text}`);
  const again = batch.flatMap((_, place) => (place > index ? [place] : []));
  return { status: 'delivered', answer: reason, refused: [{ index, reason }], again };
}

interface Acknowledgements {
  readonly client: HttpClient;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly waitMs: number;
}

/** Asks until what the answer numbered is indexed. Splunk says so once, and forgets channels that are idle. */
async function acknowledged(
  answer: HttpAnswer,
  delivered: SendOutcome,
  { client, url, headers, waitMs }: Acknowledgements,
  signal: AbortSignal,
): Promise<SendOutcome> {
  const id = jsonOf(answer.text)?.ackId;
  if (typeof id !== 'number' || !Number.isInteger(id)) {
    return {
      status: 'misconfigured',
      reason: `${answer.host} gave no ackId: the token has no indexer acknowledgement`,
    };
  }
  const request = { url, headers, body: Buffer.from(JSON.stringify({ acks: [id] })), gzip: false };
  let waited = 0;
  for (let wait = pollMsMin; waited < waitMs && !signal.aborted; wait = Math.min(wait * 2, pollMsMax)) {
    await pause(wait, undefined, { signal }).catch(() => undefined);
    waited += wait;
    const polled = await client.post(request, signal);
    if (polled.status === 'failed') return polled.outcome;
    const acks = jsonOf(polled.text)?.acks;
    if (typeof acks === 'object' && acks !== null && (acks as Record<string, unknown>)[String(id)] === true)
      return delivered;
  }
  return { status: 'retryable', reason: `${answer.host} did not say within ${waited} ms that the events are indexed` };
}
