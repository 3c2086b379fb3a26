import type { Destination, EncodedEvent, SendOutcome } from '../contract.ts';
import type { BearerToken } from './bearer-token.ts';
import type { HttpAnswer, HttpClient, HttpFailure, HttpRequest } from './client.ts';

/** What a protocol over HTTP says about a batch: one request, and what its answer means. */
export interface HttpProtocol extends Pick<Destination, 'limits' | 'encode'> {
  request(batch: readonly EncodedEvent[]): HttpRequest;
  outcome(answer: HttpAnswer, batch: readonly EncodedEvent[], signal: AbortSignal): SendOutcome | Promise<SendOutcome>;
  /** Where requests carry an access token that is got with credentials. */
  readonly token?: BearerToken;
}

/** A protocol over HTTP as a destination. */
export function httpDestination(client: HttpClient, protocol: HttpProtocol): Destination {
  return {
    limits: protocol.limits,
    encode: (event) => protocol.encode(event),
    async send(batch, signal) {
      try {
        const answer = await post(client, protocol, batch, signal);
        return answer.status === 'failed' ? answer.outcome : await protocol.outcome(answer, batch, signal);
      } catch (error) {
        // A mistake of ours must not stop other destinations; the events wait until it is mended.
        return { status: 'retryable', reason: `internal error: ${error instanceof Error ? error.name : 'unknown'}` };
      }
    },
    close: () => client.close(),
  };
}

async function post(
  client: HttpClient,
  { token, ...protocol }: HttpProtocol,
  batch: readonly EncodedEvent[],
  signal: AbortSignal,
): Promise<HttpAnswer | HttpFailure> {
  const request = protocol.request(batch);
  if (token === undefined) return client.post(request, signal);
  for (let attempt = 1; ; attempt += 1) {
    const given = await token.get(signal);
    if (given.status === 'failed') return given;
    const headers = { ...request.headers, authorization: `Bearer ${given.token}` };
    const answer = await client.post({ ...request, headers }, signal);
    // A token may end before its time: once with a new one, then it is the right that is missing.
    if (answer.status !== 'answered' || answer.code !== 401 || attempt > 1) return answer;
    token.drop(given.token);
  }
}

/** Bodies with something before, between and after them. */
export function joined(batch: readonly EncodedEvent[], open: string, between: string, close: string): Buffer {
  const parts: Buffer[] = [Buffer.from(open)];
  const separator = Buffer.from(between);
  batch.forEach(({ body }, index) => {
    if (index > 0) parts.push(separator);
    parts.push(body);
  });
  parts.push(Buffer.from(close));
  return Buffer.concat(parts);
}
