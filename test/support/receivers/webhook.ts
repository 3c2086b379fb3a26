import { createHmac, timingSafeEqual } from 'node:crypto';
import { type Answer, isPoisoned, json, parsed, type Received, Receiver } from './receiver.ts';

export const webhookKey = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
export const webhookToken = 'webhook-token-1234567890';

/** Seconds that the time of a request may be off. */
const toleranceSeconds = 300;

/**
 * A receiver of webhooks that checks what Standard Webhooks tells it to: signature over id, time and body, time within a tolerance.
 * Takes JSON arrays, NDJSON and batches of CloudEvents, by their content types.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#verifying-webhook-authenticity
 */
export class WebhookReceiver extends Receiver {
  /** Nobody listens here any more: 410. */
  isGone = false;
  /** Seconds that the receiver's clock is ahead. */
  clockAheadSeconds = 0;
  readonly ids: string[] = [];

  constructor() {
    super({ bytesMax: 1_000_000 }, (self) => (received) => (self as WebhookReceiver).#take(received));
  }

  #take(received: Received): Answer {
    if (this.isGone) return { code: 410, body: 'gone' };
    if (received.headers.authorization !== `Bearer ${webhookToken}`) {
      return { code: 401, body: `no such token: ${received.headers.authorization}` };
    }
    const problem = this.#signatureProblem(received);
    if (problem !== undefined) return { code: 401, body: problem };
    const events = eventsOf(received);
    if (events === undefined) return { code: 415, body: 'not a batch of events' };
    if (events.some(isPoisoned)) return { code: 422, body: 'one of the events is not understood' };
    for (const event of events) this.hold(event);
    return json(200, { taken: events.length });
  }

  #signatureProblem({ headers, body }: Received): string | undefined {
    const id = headers['webhook-id'];
    const time = headers['webhook-timestamp'];
    const signatures = headers['webhook-signature'];
    if (typeof id !== 'string' || typeof time !== 'string' || typeof signatures !== 'string') return 'not signed';
    if (id.includes('.') || !/^\d+$/.test(time)) return 'id or time malformed';
    const now = Date.now() / 1000 + this.clockAheadSeconds;
    if (Math.abs(now - Number(time)) > toleranceSeconds) return 'time of the message is out of tolerance';
    this.ids.push(id);
    const key = Buffer.from(webhookKey.slice(6), 'base64');
    const wanted = createHmac('sha256', key).update(`${id}.${time}.${body}`).digest();
    const isSigned = signatures.split(' ').some((signature) => {
      const [version, text = ''] = signature.split(',');
      const given = Buffer.from(text, 'base64');
      return version === 'v1' && given.length === wanted.length && timingSafeEqual(given, wanted);
    });
    return isSigned ? undefined : 'signature does not match';
  }
}

function eventsOf({ headers, body }: Received): string[] | undefined {
  const text = body.toString();
  switch (headers['content-type']) {
    case 'application/json':
      return arrayOf(text);
    case 'application/x-ndjson': {
      const lines = text.split('\n');
      const isWhole = lines.pop() === '' && lines.every((line) => parsed(line) !== undefined);
      return isWhole ? lines : undefined;
    }
    case 'application/cloudevents-batch+json':
      return arrayOf(text)?.every(isCloudEvent) ? arrayOf(text) : undefined;
    default:
      return undefined;
  }
}

function arrayOf(text: string): string[] | undefined {
  const value = parsed(text);
  return Array.isArray(value) ? value.map((item) => JSON.stringify(item)) : undefined;
}

/** https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#required-attributes */
function isCloudEvent(text: string): boolean {
  const event = parsed(text) as Record<string, unknown>;
  const isFilled = ['id', 'source', 'type'].every((name) => typeof event[name] === 'string' && event[name] !== '');
  return isFilled && event.specversion === '1.0' && !Number.isNaN(Date.parse(String(event.time))) && 'data' in event;
}
