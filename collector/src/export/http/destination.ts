import type { ExportEvent } from '../../model/export-event.ts';
import type { Deliverable, Destination, EncodedEvent, SendOutcome } from '../contract.ts';
import type { HttpAnswer, HttpClient, HttpFailure, HttpRequest } from './client.ts';

/** What a protocol over HTTP says about a batch: one request, and what its answer means. */
export interface HttpProtocol<Event extends Deliverable = ExportEvent>
  extends Pick<Destination<Event>, 'limits' | 'encode' | 'mayJoin'> {
  request(batch: readonly EncodedEvent<Event>[]): HttpRequest | Promise<HttpRequest>;
  outcome(
    answer: HttpAnswer,
    batch: readonly EncodedEvent<Event>[],
    signal: AbortSignal,
  ): SendOutcome | Promise<SendOutcome>;
  /** Where requests carry something that is got with credentials, or that is made of their content. */
  readonly access?: Access;
}

/** What lets requests in, and may end before its time. */
export interface Access {
  /** The request with it, and what forgets it; or why there is none. */
  admit(
    request: HttpRequest,
    signal: AbortSignal,
  ): Promise<{ readonly status: 'ok'; readonly request: HttpRequest; drop(): void } | HttpFailure>;
  /** Whether the receiver says that it is over, so that another one may help. */
  isOver(answer: HttpAnswer): boolean;
}

/** A protocol over HTTP as a destination. */
export function httpDestination<Event extends Deliverable = ExportEvent>(
  client: HttpClient,
  protocol: HttpProtocol<Event>,
): Destination<Event> {
  return {
    limits: protocol.limits,
    encode: (event) => protocol.encode(event),
    ...(protocol.mayJoin && { mayJoin: protocol.mayJoin }),
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

async function post<Event extends Deliverable>(
  client: HttpClient,
  { access, ...protocol }: HttpProtocol<Event>,
  batch: readonly EncodedEvent<Event>[],
  signal: AbortSignal,
): Promise<HttpAnswer | HttpFailure> {
  const request = await protocol.request(batch);
  if (access === undefined) return client.send(request, signal);
  for (let attempt = 1; ; attempt += 1) {
    const admitted = await access.admit(request, signal);
    if (admitted.status === 'failed') return admitted;
    const answer = await client.send(admitted.request, signal);
    // A token may end before its time: once with a new one, then it is the right that is missing.
    if (answer.status !== 'answered' || !access.isOver(answer) || attempt > 1) return answer;
    admitted.drop();
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
