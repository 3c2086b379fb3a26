import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StoreClient } from '../store/client.ts';
import { type Check, failed, ok, reasonOf } from './check.ts';
import type { CollectorClient } from './collector-client.ts';

const storedMsMax = 30_000;
const pollMs = 100;

/** What a person sees of it in ClickHouse. */
export const canaryService = 'spanwarden-doctor';

/**
 * Sends one span and follows it: acknowledged (on disk), then stored (in ClickHouse). It is a span of no agent, so that no
 * rule is about it.
 */
export async function sendCanary(collector: CollectorClient, client: StoreClient | undefined): Promise<Check[]> {
  const traceId = randomBytes(16).toString('hex');
  const started = performance.now();
  const acknowledged = await send(collector, traceId);
  if (acknowledged.result !== 'ok' || client === undefined) return [acknowledged];
  return [acknowledged, await stored(client, traceId, started)];
}

async function send({ ask, authorization, tracesPath: path }: CollectorClient, traceId: string): Promise<Check> {
  const started = performance.now();
  try {
    const { status, body } = await ask({
      path,
      headers: { 'content-type': 'application/json', ...authorization },
      body: JSON.stringify(request(traceId)),
    });
    const ms = Math.round(performance.now() - started);
    if (status === 200) return ok('canary, acknowledged', `on disk after ${ms} ms`);
    const advice = 'The answer says why; docs/errors.md explains its code.';
    return failed('canary, acknowledged', `${status} ${body.toString().slice(0, 200)}`, advice);
  } catch (error) {
    return failed(
      'canary, acknowledged',
      reasonOf(error),
      'Is the collector overloaded? Look at its log and /metrics.',
    );
  }
}

async function stored(client: StoreClient, traceId: string, started: number): Promise<Check> {
  const until = performance.now() + storedMsMax;
  while (performance.now() < until) {
    const result = await client.query({
      query: 'SELECT count() AS n FROM otel_traces WHERE TraceId = {traceId:String}',
      query_params: { traceId },
      format: 'JSONEachRow',
    });
    const [row] = await result.json<{ n: string }>();
    if (Number(row?.n) === 1)
      return ok('canary, stored', `in ClickHouse after ${Math.round(performance.now() - started)} ms`);
    if (Number(row?.n) > 1)
      return failed('canary, stored', `${row!.n} times`, 'Please report this: a span must be stored once.');
    await sleep(pollMs);
  }
  const advice = 'It is on disk and not lost. spanwarden spool status says what waits, the log of serve says why.';
  return failed('canary, stored', `not within ${storedMsMax / 1000} s`, advice);
}

function request(traceId: string): object {
  const nanos = `${Date.now()}000000`;
  const attribute = (key: string, value: string) => ({ key, value: { stringValue: value } });
  const span = {
    traceId,
    spanId: traceId.slice(0, 16),
    name: 'canary',
    kind: 1,
    startTimeUnixNano: nanos,
    endTimeUnixNano: nanos,
  };
  const resource = { attributes: [attribute('service.name', canaryService)] };
  return { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: canaryService }, spans: [span] }] }] };
}
