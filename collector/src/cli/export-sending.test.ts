import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadConfig } from '../config/load.ts';
import type { SendOutcome } from '../export/contract.ts';
import { parseDeadLetters } from '../export/delivery/dead-letters.ts';
import { findingEvent } from '../export/testing/events.ts';
import type { ExportEvent } from '../model/export-event.ts';
import { sendEvents } from './export-sending.ts';

const directory = mkdtempSync(join(tmpdir(), 'spanwarden-sending-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const events = Array.from({ length: 7 }, (_, number) => findingEvent(number));

async function* pages(): AsyncGenerator<ExportEvent[]> {
  yield events.slice(0, 4);
  yield events.slice(4);
}

function sending(answer: (ids: readonly string[], call: number) => SendOutcome) {
  const { destinations } = loadConfig({
    text: 'export:\n  destinations:\n    siem: { type: stdout }\n',
    env: {},
  }).export;
  const delivered: string[] = [];
  let calls = 0;
  const limits = { eventsMax: 3, bytesMax: 100_000, overheadBytes: 0 };
  const result = sendEvents({
    opened: {
      ...{ name: 'siem', config: destinations.siem!, prepare: (event) => event },
      destination: {
        ...{ limits, encode: (event) => Buffer.from(event.id), close: async () => undefined },
        send: async (batch) =>
          answer(
            batch.map(({ event }) => event.id),
            ++calls,
          ),
      },
    },
    ...{ directory, pages: pages(), total: events.length },
    delivered: (event) => delivered.push(event.id),
  });
  return result.then((sent) => ({ ...sent, ids: delivered, calls }));
}

test('everything is sent, what fails is sent again, and what is refused is noted', async () => {
  const bad = events[5]!.id;
  const { ids, ...sent } = await sending((batch, call) => {
    if (call === 1) return { status: 'retryable', reason: 'away' };
    return batch.includes(bad) ? { status: 'refused', reason: 'no' } : { status: 'delivered', answer: 'ok' };
  });
  assert.deepEqual([sent.delivered, sent.refused, sent.isWhole], [6, 1, true]);
  assert.deepEqual(
    ids,
    events.map(({ id }) => id).filter((id) => id !== bad),
  );
  const { letters } = parseDeadLetters(readFileSync(join(directory, 'dead-letter.ndjson')));
  assert.deepEqual(
    letters.map(({ id, position }) => [id, position]),
    [[bad, -1]],
  );
});

test('a destination that is misconfigured ends it: nobody would wait for that', async () => {
  const sent = await sending(() => ({ status: 'misconfigured', reason: 'invalid token' }));
  assert.deepEqual([sent.delivered, sent.isWhole, sent.calls], [0, false, 1]);
});
