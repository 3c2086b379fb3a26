import { z } from 'zod';
import type { DestinationType } from '../contract.ts';
import { classify } from '../http/classify.ts';
import { httpClient, httpSettings, secretUrlSetting, urlSecrets } from '../http/config.ts';
import { httpDestination } from '../http/destination.ts';
import { type Message, messageOf } from './message.ts';

const schema = z.strictObject({
  type: z.literal('teams'),
  url: secretUrlSetting('https://prod-00.westeurope.logic.azure.com/workflows/…').describe(
    'Address of a workflow "When a Teams webhook request is received", which is its secret as well. Write it as ${env:NAME}.',
  ),
  ...httpSettings,
});

/** Teams takes messages of about 28 KB, and four a second. */
const limits = { eventsMax: 1, bytesMax: 28_000, overheadBytes: 0 };

/**
 * A channel or chat of Microsoft Teams through a workflow, one adaptive card an event.
 * @see https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
 */
export const teams: DestinationType<'teams', typeof schema> = {
  type: 'teams',
  schema,
  eventsDefault: ['case'],
  open(config, context) {
    const url = new URL(config.url.reveal());
    const client = httpClient(config, context, urlSecrets(url));
    return httpDestination(client, {
      limits,
      encode: (event) => Buffer.from(JSON.stringify(teamsMessage(messageOf(event, context)))),
      request: ([event]) => ({
        url,
        headers: { 'content-type': 'application/json' },
        body: event?.body ?? Buffer.alloc(0),
        gzip: false,
      }),
      outcome: (answer) => classify(answer, { now: context.now() }),
    });
  },
};

/**
 * Texts of events stand in text runs, which know no Markdown, unlike text blocks and facts. Without `msteams.entities` nobody is
 * mentioned.
 * @see https://adaptivecards.io/explorer/TextRun.html
 */
function teamsMessage({ heading, text, facts, link, level, subjectId, isOver }: Message): object {
  const isLoud = !isOver && (level === 'high' || level === 'critical');
  const block = (...inlines: object[]) => ({ type: 'RichTextBlock', inlines });
  const run = (shown: string, more: object = {}) => ({ type: 'TextRun', text: shown, ...more });
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    msteams: { width: 'Full' },
    body: [
      block(run(heading, { weight: 'Bolder', size: 'Medium', color: isLoud ? 'Attention' : 'Default' })),
      block(run(text || heading)),
      ...facts.map(([name, value]) => block(run(`${name}: `, { weight: 'Bolder' }), run(value))),
      block(run(subjectId, { isSubtle: true, size: 'Small', fontType: 'Monospace' })),
    ],
    ...(link !== '' && { actions: [{ type: 'Action.OpenUrl', title: 'Open', url: link }] }),
  };
  return {
    type: 'message',
    attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content }],
  };
}
