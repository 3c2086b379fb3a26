import { type Answer, isPoisoned, json, parsed, type Received, Receiver } from './receiver.ts';

export const teamsPath =
  '/workflows/0123456789abcdef/triggers/manual/paths/invoke?api-version=2016-06-01&sig=secretsecretsecret';

/**
 * A workflow "When a Teams webhook request is received": signed address, a message with adaptive cards, 202.
 * https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
 */
export class TeamsReceiver extends Receiver {
  constructor() {
    super({ bytesMax: 28_672 }, (self) => (received) => (self as TeamsReceiver).#take(received));
  }

  #take({ query, headers, body }: Received): Answer {
    if (query.get('sig') !== 'secretsecretsecret') {
      const message = `The request is not authorized: sig=${query.get('sig')}`;
      return json(401, { error: { code: 'DirectApiAuthorizationRequired', message } });
    }
    const text = body.toString();
    const message = parsed(text) as { type?: unknown; attachments?: { contentType?: unknown; content?: unknown }[] };
    const card = message?.attachments?.[0];
    const isMessage =
      headers['content-type'] === 'application/json' &&
      message?.type === 'message' &&
      card?.contentType === 'application/vnd.microsoft.card.adaptive' &&
      isCard(card.content);
    if (!isMessage || isPoisoned(text))
      return json(400, { error: { code: 'TriggerInputSchemaMismatch', message: 'no' } });
    this.hold(text);
    return { code: 202 };
  }
}

function isCard(content: unknown): boolean {
  const { type, version, body } = content as { type?: unknown; version?: unknown; body?: unknown };
  return type === 'AdaptiveCard' && /^1\.[0-5]$/.test(String(version)) && Array.isArray(body) && body.length > 0;
}
