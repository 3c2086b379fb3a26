import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StoreClient } from '../store/client.ts';
import { type Check, failed, ok, reasonOf } from './check.ts';
import type { CollectorClient } from './collector-client.ts';

const storedMsMax = 30_000;
const pollMs = 100;
const waitsMax = 3;
const waitSecondsMax = 5;

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

async function send(collector: CollectorClient, traceId: string): Promise<Check> {
  try {
    const { status, body, ms, waits } = await untilTaken(collector, JSON.stringify(request(traceId)));
    const waited = waits === 0 ? '' : `, told to come again ${waits} ${waits === 1 ? 'time' : 'times'}`;
    if (status === 200) return ok('canary, acknowledged', `on disk after ${ms} ms${waited}`);
    const advice = 'The answer says why; docs/errors.md explains its code.';
    return failed('canary, acknowledged', `${status} ${body.toString().slice(0, 200)}${waited}`, advice);
  } catch (error) {
    return failed(
      'canary, acknowledged',
      reasonOf(error),
      'Is the collector overloaded? Look at its log and /metrics.',
    );
  }
}

/** As every sender does it: who is told to come again soon does, a few times. */
async function untilTaken({ ask, authorization, tracesPath: path }: CollectorClient, body: string) {
  const headers = { 'content-type': 'application/json', ...authorization };
  for (let waits = 0; ; waits++) {
    const started = performance.now();
    const answer = await ask({ path, headers, body });
    const ms = Math.round(performance.now() - started);
    const seconds = Number(answer.headers['retry-after'] ?? Number.NaN);
    if (waits === waitsMax || !(seconds <= waitSecondsMax)) return { ...answer, ms, waits };
    await sleep(seconds * 1000);
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
