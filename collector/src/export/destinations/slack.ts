import { z } from 'zod';
import type { DestinationType } from '../contract.ts';
import { classify } from '../http/classify.ts';
import { httpClient, httpSettings, secretUrlSetting, urlSecrets } from '../http/config.ts';
import { httpDestination } from '../http/destination.ts';
import { type Message, messageOf } from './message.ts';

const schema = z.strictObject({
  type: z.literal('slack'),
  url: secretUrlSetting('https://hooks.slack.com/services/T…/B…/…').describe(
    'Address of the incoming webhook, which is its secret as well. Write it as ${env:NAME} or ${file:path}.',
  ),
  ...httpSettings,
});

/** A message is one request; Slack takes about one a second. */
const limits = { eventsMax: 1, bytesMax: 64 * 1024, overheadBytes: 0 };

/**
 * A channel of Slack through an incoming webhook, one message an event.
 * @see https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
 */
export const slack: DestinationType<'slack', typeof schema> = {
  type: 'slack',
  schema,
  eventsDefault: ['case'],
  open(config, context) {
    const url = new URL(config.url.reveal());
    const client = httpClient(config, context, urlSecrets(url));
    return httpDestination(client, {
      limits,
      encode: (event) => Buffer.from(JSON.stringify(slackMessage(messageOf(event, context)))),
      request: ([event]) => ({
        url,
        headers: { 'content-type': 'application/json; charset=utf-8' },
        body: event?.body ?? Buffer.alloc(0),
        gzip: false,
      }),
      // 403, 404 and 410 say that the channel or the webhook is gone: the setup. 400 is about the message.
      outcome: (answer) => classify(answer, { now: context.now() }),
    });
  },
};

/**
 * Texts of events stand in `plain_text`, in which Slack sees no formatting, mentions or links; the one link is ours. `text` is
 * what notifications show.
 * @see https://docs.slack.dev/reference/block-kit/composition-objects/text-object
 */
function slackMessage({ heading, text, facts, link, subjectId }: Message): object {
  // Angle brackets are what mentions and links are written with elsewhere: others in their place, lest a client looks for them here.
  const plain = (shown: string) => ({
    type: 'plain_text',
    text: shown.replaceAll('<', '‹').replaceAll('>', '›'),
    emoji: false,
  });
  const about = link === '' ? `\`${subjectId}\`` : `<${escaped(link)}|Open> \`${subjectId}\``;
  return {
    text: escaped(`${heading}: ${text}`),
    mrkdwn: false,
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      { type: 'header', text: plain(heading.slice(0, 150)) },
      { type: 'section', text: plain(text || heading) },
      ...(facts.length === 0
        ? []
        : [{ type: 'section', fields: facts.map(([name, value]) => plain(`${name}: ${value}`)) }]),
      { type: 'context', elements: [{ type: 'mrkdwn', text: about, verbatim: true }] },
    ],
  };
}

/** https://docs.slack.dev/messaging/formatting-message-text#escaping */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
