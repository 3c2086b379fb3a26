import { type Answer, isPoisoned, parsed, type Received, Receiver } from './receiver.ts';

export const slackPath = '/services/T0000/B0000/secretsecretsecretsecret';

/**
 * An incoming webhook: its answers are words.
 * https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors
 */
export class SlackReceiver extends Receiver {
  isArchived = false;

  constructor() {
    const words = (code: number) => (code === 429 ? 'rate_limited' : 'service_error');
    super({ bytesMax: 100_000, words }, (self) => (received) => (self as SlackReceiver).#take(received));
  }

  #take({ path, headers, body }: Received): Answer {
    if (path !== slackPath) return { code: 403, body: `invalid_token ${path}` };
    if (this.isArchived) return { code: 410, body: 'channel_is_archived' };
    if (!String(headers['content-type']).startsWith('application/json')) return { code: 400, body: 'invalid_payload' };
    const text = body.toString();
    const message = parsed(text) as { text?: unknown; blocks?: { type: string }[] } | undefined;
    if (typeof message?.text !== 'string' || message.text === '') return { code: 400, body: 'no_text' };
    const isValid = Array.isArray(message.blocks) && message.blocks.length <= 50 && message.blocks.every(isBlock);
    if (!isValid || isPoisoned(text)) return { code: 400, body: 'invalid_blocks' };
    this.hold(text);
    return { code: 200, headers: { 'content-type': 'text/html' }, body: 'ok' };
  }
}

/** https://docs.slack.dev/reference/block-kit/blocks */
function isBlock(block: Record<string, unknown>): boolean {
  const isText = (value: unknown, charsMax: number) => {
    const text = (value as { text?: unknown } | undefined)?.text;
    return typeof text === 'string' && text.length >= 1 && text.length <= charsMax;
  };
  if (block.type === 'header') return isText(block.text, 150);
  if (block.type === 'context') return (block.elements as unknown[]).every((element) => isText(element, 3000));
  if (block.type !== 'section') return false;
  const fields = block.fields as unknown[] | undefined;
  if (fields === undefined) return isText(block.text, 3000);
  return fields.length >= 1 && fields.length <= 10 && fields.every((field) => isText(field, 2000));
}
