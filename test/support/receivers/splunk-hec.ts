import { type Answer, isPoisoned, json, type Received, Receiver } from './receiver.ts';

export const splunkToken = '0d4b9d2c-1111-4222-8333-944445555666';

/** Splunk's texts and status codes by its own code. */
const codes: Readonly<Record<number, readonly [number, string]>> = {
  1: [403, 'Token disabled'],
  2: [401, 'Token is required'],
  3: [401, 'Invalid authorization'],
  4: [403, 'Invalid token'],
  5: [400, 'No data'],
  6: [400, 'Invalid data format'],
  7: [400, 'Incorrect index'],
  9: [503, 'Server is busy'],
  10: [400, 'Data channel is missing'],
  11: [400, 'Invalid data channel'],
  12: [400, 'Event field is required'],
  13: [400, 'Event field cannot be blank'],
  14: [400, 'ACK is disabled'],
};

/**
 * Splunk's HTTP Event Collector: events are read one by one out of concatenated objects, and the first that is wrong ends the reading.
 * https://help.splunk.com/en/splunk-enterprise/get-data-in/collect-http-event-data/troubleshoot-http-event-collector
 */
export class SplunkReceiver extends Receiver {
  /** Answers of `/ack` that say no before one says yes. */
  unindexedPolls = 0;
  hasAcknowledgement = true;
  readonly #acknowledgements = new Map<string, Map<number, number>>();

  constructor() {
    const words = (code: number) => JSON.stringify({ text: codes[9]?.[1], code: code === 503 ? 9 : 26 });
    const spared = ['/services/collector/ack'];
    super({ bytesMax: 1_000_000, words, spared }, (self) => (received) => (self as SplunkReceiver).#take(received));
  }

  #take(received: Received): Answer {
    const { authorization } = received.headers;
    if (authorization === undefined) return said(2);
    if (!authorization.startsWith('Splunk ')) return said(3);
    if (authorization !== `Splunk ${splunkToken}`) return said(4);
    if (received.path === '/services/collector/ack') return this.#acknowledge(received);
    if (received.path !== '/services/collector/event') return { code: 404, body: 'The requested URL was not found' };
    const channel = received.headers['x-splunk-request-channel'];
    const answer = this.#index(received.body.toString());
    if (answer.code !== 200 || channel === undefined) return answer;
    if (!this.hasAcknowledgement) return said(0);
    const ids = this.#acknowledgements.get(String(channel)) ?? new Map<number, number>();
    this.#acknowledgements.set(String(channel), ids);
    ids.set(ids.size, this.unindexedPolls);
    return json(200, { text: 'Success', code: 0, ackId: ids.size - 1 });
  }

  #index(text: string): Answer {
    const objects = concatenated(text);
    if (objects.length === 0) return said(5);
    for (const [number, object] of objects.entries()) {
      const problem = problemOf(object);
      if (problem !== undefined) return said(problem, number);
      this.hold(JSON.stringify(object));
    }
    return said(0);
  }

  #acknowledge({ headers, body }: Received): Answer {
    const ids = this.#acknowledgements.get(String(headers['x-splunk-request-channel']));
    if (ids === undefined) return said(11);
    const { acks } = JSON.parse(body.toString()) as { acks: number[] };
    const answers = acks.map((id) => {
      const left = ids.get(id);
      if (left !== undefined && left > 0) ids.set(id, left - 1);
      // Said once.
      else ids.delete(id);
      return [String(id), left === 0] as const;
    });
    return json(200, { acks: Object.fromEntries(answers) });
  }
}

function said(code: number, event?: number): Answer {
  const [status, text] = code === 0 ? ([200, 'Success'] as const) : (codes[code] ?? [500, 'Internal server error']);
  return json(status, { text, code, ...(event !== undefined && { 'invalid-event-number': event }) });
}

function problemOf(object: unknown): number | undefined {
  if (typeof object !== 'object' || object === null || Array.isArray(object)) return 6;
  const { event, time, index, fields, ...rest } = object as Record<string, unknown>;
  if (event === undefined) return 12;
  if (event === '' || event === null) return 13;
  if (time !== undefined && !/^\d{9,10}(\.\d{1,9})?$/.test(String(time))) return 6;
  if (index !== undefined && index !== 'agents') return 7;
  if (!Object.keys(rest).every((name) => ['host', 'source', 'sourcetype'].includes(name))) return 6;
  const isFlat = Object.values(fields ?? {}).every((value) => typeof value === 'string' || Array.isArray(value));
  return isFlat && !isPoisoned(JSON.stringify(event)) ? undefined : 6;
}

/** JSON objects that stand one after the other, with or without blanks between. What is none ends the list as undefined. */
function concatenated(text: string): unknown[] {
  const found: unknown[] = [];
  let rest = text.trim();
  while (rest !== '') {
    const end = endOfObject(rest);
    try {
      found.push(JSON.parse(rest.slice(0, end)));
    } catch {
      return [...found, undefined];
    }
    rest = rest.slice(end).trim();
  }
  return found;
}

function endOfObject(text: string): number {
  let depth = 0;
  for (let at = 0, isText = false; at < text.length; at += 1) {
    const character = text[at];
    if (isText && character === '\\') at += 1;
    else if (character === '"') isText = !isText;
    else if (!isText && character === '{') depth += 1;
    else if (!isText && character === '}') {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return text.length;
}
