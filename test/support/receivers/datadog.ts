import { type Answer, isPoisoned, json, parsed, type Received, Receiver } from './receiver.ts';

export const datadogKey = '0123456789abcdef0123456789abcdef';

/** Datadog's log intake. https://docs.datadoghq.com/api/latest/logs/#send-logs */
export class DatadogReceiver extends Receiver {
  constructor() {
    const words = (code: number) => JSON.stringify({ errors: [{ status: String(code), title: 'no' }] });
    super({ bytesMax: 5_000_000, words }, (self) => (received) => (self as DatadogReceiver).#take(received));
  }

  #take({ path, headers, body }: Received): Answer {
    if (path !== '/api/v2/logs') return { code: 404 };
    if (headers['dd-api-key'] !== datadogKey) return problem(403, `Forbidden: ${headers['dd-api-key']}`);
    if (headers['content-type'] !== 'application/json') return problem(415, 'Unsupported Media Type');
    const logs = parsed(body.toString());
    if (!Array.isArray(logs) || logs.length > 1000) return problem(400, 'not an array of at most 1000 logs');
    const texts = logs.map((log) => JSON.stringify(log));
    if (texts.some(isPoisoned) || !logs.every(isLog)) return problem(400, 'Bad Request');
    for (const text of texts) this.hold(text);
    return json(202, {});
  }
}

function isLog(log: Record<string, unknown>): boolean {
  const tags = String(log.ddtags).split(',');
  return tags.every((tag) => /^[a-z_]+:[a-z0-9_./-]+$/.test(tag)) && typeof log.message === 'string';
}

function problem(code: number, title: string): Answer {
  return json(code, { errors: [{ status: String(code), title }] });
}
