import { z } from 'zod';
import type { Level } from '../../model/severity.ts';
import type { DestinationContext, DestinationType } from '../contract.ts';
import { classify } from '../http/classify.ts';
import { httpClient, httpSettings, secretSetting, urlSetting } from '../http/config.ts';
import { httpDestination } from '../http/destination.ts';
import { eventFacts } from './event-facts.ts';
import { line, type Message, messageOf } from './message.ts';

const schema = z.strictObject({
  type: z.literal('opsgenie'),
  api_key: secretSetting().describe('Key of an API integration. Write it as ${env:NAME} or ${file:path}.'),
  url: urlSetting('https://api.opsgenie.com')
    .default('https://api.opsgenie.com')
    .describe(
      'Address of the alert API, or of one that is compatible with it. Default https://api.opsgenie.com; in the EU ' +
        'https://api.eu.opsgenie.com.',
    ),
  ...httpSettings,
});

const limits = { eventsMax: 1, bytesMax: 64 * 1024, overheadBytes: 0 };
/** Characters of the fields. https://docs.opsgenie.com/docs/alert-api#create-alert */
const messageCharsMax = 130;

/**
 * The alert API of Opsgenie and of what is compatible with it: an alert for each case (or finding), closed when it is closed.
 * @see https://docs.opsgenie.com/docs/alert-api
 */
export const opsgenie: DestinationType<'opsgenie', typeof schema> = {
  type: 'opsgenie',
  schema,
  eventsDefault: ['case'],
  open(config, context) {
    const key = config.api_key.reveal();
    const client = httpClient(config, context, [key]);
    const base = `${config.url.replace(/\/+$/, '')}/v2/alerts`;
    const headers = { 'content-type': 'application/json', authorization: `GenieKey ${key}` };
    return httpDestination(client, {
      limits,
      encode: (event) => Buffer.from(JSON.stringify(alertOf(messageOf(event, context), context))),
      request: ([encoded]) => {
        const body = encoded?.body ?? Buffer.alloc(0);
        const isOver = encoded !== undefined && messageOf(encoded.event, context).isOver;
        const alias = encoded === undefined ? '' : eventFacts(encoded.event).subjectId;
        const url = isOver ? `${base}/${encodeURIComponent(alias)}/close?identifierType=alias` : base;
        return { url: new URL(url), headers, body, gzip: false };
      },
      outcome: (answer) => classify(answer, { now: context.now() }),
    });
  },
};

const priorities: Readonly<Record<Level, string>> = {
  informational: 'P5',
  low: 'P4',
  medium: 'P3',
  high: 'P2',
  critical: 'P1',
};

function alertOf(message: Message, { product, host }: DestinationContext): object {
  const { subjectId, isOver, heading, text, level, facts, link } = message;
  const source = line(host, 100) || product.name;
  if (isOver) return { source, note: heading };
  const description = [text, ...facts.map(([name, value]) => `${name}: ${value}`), link].filter((part) => part !== '');
  return {
    message: line(`${heading}: ${text}`, messageCharsMax),
    alias: subjectId,
    description: description.join('\n'),
    priority: priorities[level],
    source,
    entity: 'ai_agent',
    tags: ['spanwarden', level],
    details: { id: subjectId, ...(link !== '' && { link }) },
  };
}
