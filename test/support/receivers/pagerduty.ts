import { type Answer, isPoisoned, json, parsed, type Received, Receiver } from './receiver.ts';

export const pagerdutyKey = 'e93facc04764012d7bfb002500d5d1a6';

/**
 * Events API v2.
 * https://developer.pagerduty.com/docs/events-api-v2-overview#response-codes--retry-logic
 * https://developer.pagerduty.com/docs/send-alert-event
 */
export class PagerdutyReceiver extends Receiver {
  /** Alerts by their keys, open or not. */
  readonly alerts = new Map<string, { open: boolean; triggers: number; summary: string }>();

  constructor() {
    super({ bytesMax: 512_000 }, (self) => (received) => (self as PagerdutyReceiver).#take(received));
  }

  #take({ path, headers, body }: Received): Answer {
    if (path !== '/v2/enqueue' || headers['content-type'] !== 'application/json') return { code: 404 };
    const text = body.toString();
    const event = (parsed(text) ?? {}) as Record<string, unknown>;
    const errors = problemsOf(event);
    if (isPoisoned(text)) errors.push("'payload.class' is not one that is known");
    if (errors.length > 0) return json(400, { status: 'invalid event', message: 'Event object is invalid', errors });
    this.#note(event, text);
    return json(202, { status: 'success', message: 'Event processed', dedup_key: event.dedup_key });
  }

  #note({ event_action: action, dedup_key, payload }: Record<string, unknown>, text: string): void {
    const key = String(dedup_key);
    const known = this.alerts.get(key);
    if (action === 'resolve') {
      if (known) known.open = false;
      return;
    }
    const { summary } = payload as { summary: string };
    if (known?.open) known.triggers += 1;
    else {
      this.alerts.set(key, { open: true, triggers: 1, summary });
      this.hold(text);
    }
  }
}

function problemsOf({
  routing_key: key,
  event_action: action,
  dedup_key: dedup,
  payload,
}: Record<string, unknown>): string[] {
  const problems: string[] = [];
  if (typeof key !== 'string' || key.length !== 32)
    problems.push("Length of 'routing_key' is incorrect (should be 32 characters)");
  if (dedup !== undefined && (typeof dedup !== 'string' || dedup.length > 255))
    problems.push("'dedup_key' is too long");
  if (action === 'resolve' || action === 'acknowledge')
    return dedup === undefined ? [...problems, "'dedup_key' is missing"] : problems;
  if (action !== 'trigger') return [...problems, "'event_action' is missing or invalid"];
  const { summary, source, severity, timestamp } = (payload ?? {}) as Record<string, unknown>;
  if (typeof summary !== 'string' || summary === '' || summary.length > 1024)
    problems.push("'payload.summary' is invalid");
  if (typeof source !== 'string' || source === '') problems.push("'payload.source' is missing or blank");
  if (!['critical', 'error', 'warning', 'info'].includes(String(severity)))
    problems.push("'payload.severity' is invalid");
  if (timestamp !== undefined && Number.isNaN(Date.parse(String(timestamp))))
    problems.push("'payload.timestamp' is invalid");
  return problems;
}
