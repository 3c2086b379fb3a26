import assert from 'node:assert/strict';
import { after } from 'node:test';
import type { Destination, DestinationContext, SendOutcome } from '../../../collector/src/export/contract.ts';
import type { ExportEvent } from '../../../collector/src/model/export-event.ts';
import type { Receiver } from './receiver.ts';
import type { Subject } from './subjects.ts';

// Opens destinations and their receivers, and closes them after the tests of a file.

const closing: (() => Promise<void>)[] = [];
after(async () => {
  for (const close of closing.reverse()) await close();
});

export const context: DestinationContext = {
  product: { vendor: 'Spanwarden', name: 'Spanwarden', version: '0.1.0' },
  host: 'collector-1',
  bytesMax: 65_536,
  name: 'under test',
  denyPrivateAddresses: false,
  lingerMs: 500,
  extraFields: () => ({ environment: 'test' }),
  link: () => 'https://grafana.example/d/cases?id=1',
  now: () => Date.now(),
};

export async function opened<Own extends Receiver = Receiver>(
  { type, config, start }: Subject,
  own: object | ((origin: string) => object) = {},
): Promise<{ receiver: Own; to: Destination }> {
  const receiver = (await start()) as Own;
  closing.push(() => receiver.close());
  const checked = type.schema.parse({
    type: type.type,
    timeout_ms: 10_000,
    ...config(receiver),
    ...(typeof own === 'function' ? own(receiver.origin) : own),
  });
  const to = await type.open(checked, context);
  closing.push(() => to.close());
  return { receiver, to };
}

export function send(
  to: Destination,
  events: readonly ExportEvent[],
  signal: AbortSignal = new AbortController().signal,
): Promise<SendOutcome> {
  return to.send(
    events.map((event) => ({ event, body: to.encode(event) })),
    signal,
  );
}

/** Delivered as a whole: nothing refused, nothing to be sent again. */
export function assertDelivered(outcome: SendOutcome): void {
  assert.equal(outcome.status, 'delivered', JSON.stringify(outcome));
  assert.deepEqual(outcome, { status: 'delivered', answer: (outcome as { answer: string }).answer });
}
