import { type Answer, isPoisoned, json, parsed, type Received, Receiver } from './receiver.ts';

export const opsgenieKey = 'eb243592-faa2-4ba2-a551-1afdf565c889';

/** The alert API. https://docs.opsgenie.com/docs/alert-api */
export class OpsgenieReceiver extends Receiver {
  /** Whether alerts are open, by their aliases. */
  readonly alerts = new Map<string, boolean>();

  constructor() {
    const words = (code: number) => JSON.stringify({ message: `refused with ${code}`, took: 0.001, requestId: 'r' });
    super({ bytesMax: 512_000, words }, (self) => (received) => (self as OpsgenieReceiver).#take(received));
  }

  #take({ path, query, headers, body }: Received): Answer {
    if (headers.authorization !== `GenieKey ${opsgenieKey}`) {
      return said(403, `You are not authorized: ${headers.authorization}`);
    }
    const text = body.toString();
    const value = parsed(text) as Record<string, unknown> | undefined;
    if (headers['content-type'] !== 'application/json' || value === undefined)
      return said(415, 'Unsupported Media Type');
    const [, closed] = /^\/v2\/alerts\/([^/]+)\/close$/.exec(path) ?? [];
    if (closed !== undefined) return this.#close(decodeURIComponent(closed), query);
    if (path !== '/v2/alerts') return said(404, 'not found');
    const { message, alias, description, priority, tags } = value;
    const isValid =
      isText(message, 130) &&
      isText(alias, 512) &&
      isText(description, 15_000) &&
      /^P[1-5]$/.test(String(priority)) &&
      Array.isArray(tags) &&
      tags.length <= 20 &&
      tags.every((tag) => isText(tag, 50));
    if (!isValid || isPoisoned(text)) return said(422, 'Request body is not processable.');
    if (this.alerts.get(String(alias)) !== true) this.hold(text);
    this.alerts.set(String(alias), true);
    return said(202, 'Request will be processed');
  }

  #close(alias: string, query: URLSearchParams): Answer {
    if (query.get('identifierType') !== 'alias') return said(422, 'identifierType');
    // Asynchronous: whether there is such an alert is not looked at yet.
    if (this.alerts.has(alias)) this.alerts.set(alias, false);
    return said(202, 'Request will be processed');
  }
}

function isText(value: unknown, charsMax: number): boolean {
  return typeof value === 'string' && value !== '' && value.length <= charsMax;
}

function said(code: number, result: string): Answer {
  return json(code, { result, took: 0.302, requestId: '43a29c5c-3dbf-4fa4-9c26-f4f71023e120' });
}
