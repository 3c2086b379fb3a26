import { limits } from '../../model/limits.ts';
import { hopsHeader, type TeeRequest, type TeeSignal } from '../../model/tee-request.ts';
import type { Destination, EncodedEvent } from '../contract.ts';
import { httpClient, revealed } from '../http/config.ts';
import { httpDestination } from '../http/destination.ts';
import { otlpOutcome } from '../http/otlp-answer.ts';
import type { TeeDestinationConfig } from './config.ts';

/** What a tee has to know of the collector around it. */
export interface TeeContext {
  /** Sent as user-agent. */
  readonly product: { readonly name: string; readonly version: string };
  readonly denyPrivateAddresses: boolean;
  now(): number;
}

const nouns: Readonly<Record<TeeSignal, string>> = { traces: 'spans', logs: 'log records', metrics: 'data points' };

/**
 * Requests over OTLP/HTTP. Those in protobuf are put together by writing one behind the other, which is how protobuf joins messages
 * whose fields are lists.
 * @see https://opentelemetry.io/docs/specs/otlp/#otlphttp
 * @see https://protobuf.dev/programming-guides/encoding/#last-one-wins
 */
export function teeDestination(config: TeeDestinationConfig, context: TeeContext): Destination<TeeRequest> {
  const own = revealed(config.headers);
  const client = httpClient(config, context, Object.values(own));
  const base = config.endpoint.replace(/\/+$/, '');
  return httpDestination<TeeRequest>(client, {
    limits: { eventsMax: limits.teeBatchRequestsMax, bytesMax: limits.bodyInflatedBytesMax, overheadBytes: 0 },
    encode: ({ bytes }) => bytes,
    mayJoin: (one, other) => {
      const areProtobuf = one.encoding === 'protobuf' && other.encoding === 'protobuf';
      return areProtobuf && one.signal === other.signal && one.hops === other.hops;
    },
    request: (batch) => {
      const { signal, encoding, hops } = batch[0]!.event;
      const headers = {
        ...own,
        'content-type': encoding === 'json' ? 'application/json' : 'application/x-protobuf',
        [hopsHeader]: String(hops + 1),
      };
      const url = new URL(`${base}/v1/${signal}`);
      return { url, headers, body: together(batch), gzip: config.compression === 'gzip' };
    },
    outcome: (answer, batch) => {
      const { signal, encoding } = batch[0]!.event;
      const count = batch.reduce((sum, { event }) => sum + event.records, 0);
      return otlpOutcome(answer, { count, noun: nouns[signal], encoding }, context.now());
    },
  });
}

/** A request that has nothing in it, to see whether it is taken. */
export function emptyRequest(signal: TeeSignal): EncodedEvent<TeeRequest> {
  const bytes = Buffer.alloc(0);
  const event: TeeRequest = {
    ...{
      kind: 'request',
      id: 'test',
      orderKey: '',
      takenMs: 0,
      signal,
      encoding: 'protobuf',
      hops: 0,
      records: 0,
      bytes,
    },
  };
  return { event, body: bytes };
}

function together(batch: readonly EncodedEvent<TeeRequest>[]): Buffer {
  return batch.length === 1 ? batch[0]!.body : Buffer.concat(batch.map(({ body }) => body));
}
