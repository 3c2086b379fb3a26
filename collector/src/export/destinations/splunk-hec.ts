import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import type { DestinationType, EncodedEvent, SendOutcome } from '../contract.ts';
import { openFormat } from '../formats/index.ts';
import { jsonText } from '../formats/text.ts';
import { classify } from '../http/classify.ts';
import type { HttpAnswer, HttpClient } from '../http/client.ts';
import { httpClient, httpSettings, secretSetting, urlSetting } from '../http/config.ts';
import { httpDestination, joined } from '../http/destination.ts';
import { jsonOf } from '../http/json.ts';
import { within } from './event-facts.ts';

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
        'them. It takes a while: set timeout_ms to a minute or more. Splunk Enterprise only, for tokens that have it, and behind a ' +
        'load balancer only with sticky sessions.',
    ),
  ...httpSettings,
});

/** Splunk recommends no more for a request, before compression. */
const bytesMax = 1_000_000;
/** What index, source and source type may take. */
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
      waitMs: config.timeout_ms,
    };
    const url = new URL(`${base}/services/collector/event`);
    const format = openFormat('splunk');
    const inside = within(context, Math.floor(bytesMax / 2) - envelopeBytesMax);
    return httpDestination(client, {
      limits: { eventsMax: 1000, bytesMax, overheadBytes: 1 },
      encode: (event) => Buffer.from(envelope(format.encode(event, inside), config)),
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

/** The format has the envelope; where an event goes and what it is called there is the destination's. */
function envelope(text: string, { index, source, sourcetype }: z.infer<typeof schema>): string {
  if (index === undefined && source === undefined && sourcetype === undefined) return text;
  const own = {
    ...(index !== undefined && { index }),
    ...(source !== undefined && { source }),
    ...(sourcetype !== undefined && { sourcetype }),
  };
  return jsonText({ ...(JSON.parse(text) as object), ...own });
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
    const polled = await client.send(request, signal);
    if (polled.status === 'failed') return polled.outcome;
    const acks = jsonOf(polled.text)?.acks;
    if (typeof acks === 'object' && acks !== null && (acks as Record<string, unknown>)[String(id)] === true)
      return delivered;
  }
  return { status: 'retryable', reason: `${answer.host} did not say within ${waited} ms that the events are indexed` };
}
