import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExportEvent } from '../../model/export-event.ts';
import { limits } from '../../model/limits.ts';
import type { EncodedEvent, SendOutcome } from '../contract.ts';
import { findingEvent } from '../testing/events.ts';
import { type Disk, memoryFiles } from '../testing/memory-files.ts';
import { MemoryEventSource } from '../testing/memory-source.ts';
import { TestClock } from '../testing/test-clock.ts';
import { CursorKeeper } from './cursor-keeper.ts';
import { DeadLetters, deadLetterFile, parseDeadLetters } from './dead-letters.ts';
import { Delivery, type DeliveryOptions } from './delivery.ts';
import { statusOf } from './status.ts';

type Answer = (batch: readonly EncodedEvent[], call: number, signal: AbortSignal) => SendOutcome | Promise<SendOutcome>;

const ok: SendOutcome = { status: 'delivered', answer: 'ok' };
const down: SendOutcome = { status: 'retryable', reason: 'connection refused' };

async function started(answer: Answer, changes: Partial<DeliveryOptions> = {}) {
  const clock = new TestClock();
  const source = new MemoryEventSource();
  const disk: Disk = new Map();
  const files = memoryFiles(disk);
  const log: string[] = [];
  const write = (level: string) => (_: object, text: string) => void log.push(`${level} ${text}`);
  const logger = { info: write('info'), warn: write('warn'), error: write('error') };
  const cursor = await CursorKeeper.open({ name: 'siem', files, head: -1, from: 'oldest', clock, logger });
  const deadLetters = await DeadLetters.open(files);
  const calls: { readonly ids: readonly string[]; readonly atMs: number }[] = [];
  const beganMs = clock.now();
  const delivery = new Delivery({
    ...{ name: 'siem', source, cursor, deadLetters, clock, logger, lanes: 1, timeoutMs: 30_000 },
    batch: { eventsMax: 10, bytesMax: 10_000, lingerMs: 100 },
    window: { eventsMax: 50, bytesMax: 1_000_000 },
    prepare: (event) => event,
    destination: {
      limits: { eventsMax: 10, bytesMax: 10_000, overheadBytes: 0 },
      encode: (event) => Buffer.from(event.id),
      close: async () => undefined,
      send: async (batch, signal) => {
        calls.push({ ids: batch.map(({ event }) => event.id), atMs: clock.now() - beganMs });
        return answer(batch, calls.length, signal);
      },
    },
    ...changes,
  });
  void delivery.run();
  const status = () =>
    statusOf({ name: 'siem', type: 'test', delivery, cursor, deadLetters, source, startedMs: beganMs, clock });
  const letters = () => parseDeadLetters(disk.get(deadLetterFile) ?? Buffer.alloc(0)).letters;
  return { clock, source, disk, log, cursor, calls, delivery, status, letters, logger };
}

function numbered(from: number, count: number): ExportEvent[] {
  return Array.from({ length: count }, (_, index) => findingEvent(from + index, `key${index % 7}`));
}

test('a receiver that is down costs no more memory than the window, and nothing is lost', async () => {
  let isUp = false;
  const run = await started(() => (isUp ? ok : down));
  for (let record = 0; record < 100; record++) run.source.add(numbered(record * 10, 10));
  for (let steps = 0; steps < 400; steps++) await run.clock.step();
  assert.equal(run.delivery.waiting.events, 50);
  assert.ok(run.source.reads <= 16, `${run.source.reads} records were read`);
  const { state, lag, retryAt, lastError } = run.status();
  assert.deepEqual(
    [state, lag.more, lastError?.reason, retryAt !== undefined],
    ['retrying', true, 'connection refused', true],
  );
  assert.ok(lag.ms > 60_000);
  isUp = true;
  await run.clock.until(() => run.delivery.counts.delivered === 1000);
  assert.deepEqual([run.status().state, run.status().lag], ['ok', { events: 0, more: false, ms: 0 }]);
  assert.equal(run.log.length, 2, run.log.join('\n'));
});

test('same finding in several states: all are sent, in order', async () => {
  const run = await started(() => ok, { lanes: 4 });
  const states = [1n, 2n, 3n].map((version) => {
    const event = findingEvent(5, 'chain', { version });
    return { ...event, id: `${event.finding.id}-${version}` };
  });
  run.source.add(states.slice(0, 2));
  run.source.add(states.slice(2));
  await run.clock.until(() => run.delivery.counts.delivered === 3);
  assert.deepEqual(
    run.calls.flatMap(({ ids }) => ids),
    states.map(({ id }) => id),
  );
});

test('events wait for company so long, and go at once when a batch is full', async () => {
  const run = await started(() => ok);
  run.source.add(numbered(0, 3));
  await run.clock.until(() => run.calls.length === 1);
  assert.deepEqual([run.calls[0]!.ids.length, run.calls[0]!.atMs], [3, 100]);
  run.source.add(numbered(3, 10));
  await run.clock.until(() => run.calls.length === 2);
  assert.deepEqual([run.calls[1]!.ids.length, run.calls[1]!.atMs], [10, 100]);
});

test('a pause that the receiver asks for is kept by all lanes, and one asks first', async () => {
  const run = await started((_, call) => (call === 1 ? { ...down, retryAfterMs: 5_000 } : ok), { lanes: 4 });
  run.source.add(numbered(0, 10));
  await run.clock.until(() => run.calls.length >= 4);
  const waves = run.calls.map(({ atMs }) => atMs);
  assert.ok(
    waves.slice(4).every((atMs) => atMs >= 5_100),
    waves.join(),
  );
  await run.clock.until(() => run.delivery.counts.delivered === 10);
  assert.equal(run.status().state, 'ok');
});

test('an open circuit lets one lane ask at a time', async () => {
  let atOnce = 0;
  let isUp = false;
  const seen: number[] = [];
  const run = await started(
    async (_, call) => {
      atOnce++;
      if (call > 8) seen.push(atOnce);
      await new Promise<void>((resolve) => run.clock.timer(500, resolve));
      atOnce--;
      return isUp ? ok : down;
    },
    { lanes: 4 },
  );
  run.source.add(numbered(0, 14));
  await run.clock.until(() => run.calls.length > 20);
  assert.ok(run.delivery.circuit.isOpen);
  assert.ok(
    seen.every((number) => number === 1),
    seen.join(),
  );
  isUp = true;
  await run.clock.until(() => run.delivery.counts.delivered === 14);
  assert.ok(!run.delivery.circuit.isOpen);
});

test('a destination that is misconfigured is loud and slow, and nothing becomes a dead letter', async () => {
  let isMended = false;
  const run = await started(() => (isMended ? ok : { status: 'misconfigured', reason: 'invalid token' }));
  run.source.add(numbered(0, 5));
  await run.clock.until(() => run.calls.length === 8);
  const gaps = run.calls.slice(1).map(({ atMs }, index) => atMs - run.calls[index]!.atMs);
  assert.ok(gaps[0]! >= 5_000 && gaps.at(-1)! <= limits.exportMisconfiguredMsMax, gaps.join());
  assert.deepEqual([run.status().state, run.letters().length], ['misconfigured', 0]);
  assert.deepEqual(
    run.log.map((line) => line.split(' ')[0]),
    ['error'],
  );
  isMended = true;
  await run.clock.until(() => run.delivery.counts.delivered === 5);
});

test('one event that the receiver refuses is found by halves; all others are delivered', async () => {
  const bad = findingEvent(6).id;
  const run = await started((batch) =>
    batch.some(({ event }) => event.id === bad) ? { status: 'refused', reason: 'mapping\nerror\u001b[2J' } : ok,
  );
  run.source.add(numbered(0, 10));
  await run.clock.until(() => run.cursor.ledger.position === 0);
  assert.deepEqual([run.delivery.counts.delivered, run.delivery.counts.refused], [9, 1]);
  const [letter] = run.letters();
  assert.deepEqual(
    [letter?.id, letter?.of, letter?.position, letter?.reason],
    [bad, bad.split('-')[0], 0, 'mapping error [2J'],
  );
});

test('a receiver that is too slow for a whole batch gets smaller ones', async () => {
  const run = await started(async (batch, _, signal) => {
    if (batch.length <= 3) return ok;
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    return { status: 'retryable', reason: 'aborted' };
  });
  run.source.add(numbered(0, 10));
  await run.clock.until(() => run.delivery.counts.delivered === 10);
  assert.match(run.status().lastError?.reason ?? '', /^no answer within 30000 ms/);
});

test('an event that is too large, or that cannot be prepared, holds up nothing', async () => {
  const run = await started(() => ok, {
    prepare: (event) => {
      if (event.id === findingEvent(1).id) throw new Error('no key');
      return event.id === findingEvent(2).id ? undefined : event;
    },
  });
  const encode = (event: ExportEvent) => Buffer.from(event.id === findingEvent(3).id ? 'x'.repeat(10_001) : event.id);
  const large = await started(() => ok, {
    destination: {
      limits: { eventsMax: 10, bytesMax: 10_000, overheadBytes: 0 },
      encode,
      send: async () => ok,
      close: async () => undefined,
    },
  });
  for (const { source, clock, cursor } of [run, large]) {
    source.add(numbered(0, 6));
    await clock.until(() => cursor.ledger.position === 0);
  }
  assert.deepEqual(
    { ...run.delivery.counts },
    {
      ...{ delivered: 4, refused: 1, rejected: 0 },
      ...{ retried: 0, lost: 0, filtered: 1 },
    },
  );
  assert.deepEqual(
    run.letters().map(({ reason }) => reason),
    ['it could not be encoded'],
  );
  assert.deepEqual(
    large.letters().map(({ reason }) => reason),
    ['it has 10001 bytes, and a request at most 10000'],
  );
});

test('a stop sends what is in memory, does not wait for a receiver that is down, nor for one that never answers', async () => {
  const good = await started(() => ok);
  good.source.add(numbered(0, 5));
  const never = await started(() => new Promise(() => undefined));
  const bad = await started(() => down);
  for (const run of [never, bad]) {
    run.source.add(numbered(0, 5));
    await run.clock.until(() => run.calls.length > 0);
  }
  await good.clock.step();
  for (const run of [good, never, bad]) {
    const beganMs = run.clock.now();
    let isOver = false;
    void run.delivery.stop(2_000).then(() => {
      isOver = true;
    });
    await run.clock.until(() => isOver);
    assert.ok(run.clock.now() - beganMs <= 3_000);
    assert.equal(run.status().state, 'stopped');
  }
  assert.deepEqual(
    [good, never, bad].map(({ delivery }) => delivery.counts.delivered),
    [5, 0, 0],
  );
  assert.deepEqual(
    [good, never, bad].map(({ cursor }) => cursor.ledger.position),
    [0, -1, -1],
  );
});

const parted: DeliveryOptions['batch'] = { eventsMax: 10, bytesMax: 10_000, lingerMs: 300_000 };

/** A destination whose batches are objects, one for each ten events at most and each of the parts `early` and `late`. */
function store(send: Answer, calls: string[][]): Partial<DeliveryOptions> {
  return {
    batch: parted,
    destination: {
      limits: { eventsMax: 10, bytesMax: 10_000, overheadBytes: 0, partitionOf: ({ takenMs }) => String(takenMs) },
      encode: (event) => Buffer.from(event.id),
      close: async () => undefined,
      send: async (batch, signal) => {
        calls.push(batch.map(({ event }) => event.id));
        return send(batch, calls.length, signal);
      },
    },
  };
}

test('batches are cut where their events have a part in common no longer, at once, and are whole again and again', async () => {
  const calls: string[][] = [];
  const answer: Answer = (_, call) => (call < 8 ? down : ok);
  const run = await started(answer, store(answer, calls));
  const beganMs = run.clock.now();
  const early = numbered(0, 4).map((event) => ({ ...event, takenMs: 1 }));
  const late = numbered(4, 2).map((event) => ({ ...event, takenMs: 2 }));
  run.source.add(early);
  run.source.add(late);
  await run.clock.until(() => calls.length === 1);
  assert.equal(run.clock.now(), beganMs);
  await run.clock.until(() => run.delivery.counts.delivered === 4);
  assert.equal(calls.length, 8);
  for (const ids of calls)
    assert.deepEqual(
      ids,
      early.map(({ id }) => id),
    );
  await run.delivery.stop(1000);
  assert.deepEqual(
    calls.at(-1),
    late.map(({ id }) => id),
  );
});

test('after a crash the batches are those of before, however the events come then', async () => {
  const calls: string[][] = [];
  const events = Array.from({ length: 37 }, (_, index) => ({
    ...findingEvent(index, 'key'),
    takenMs: Math.floor(index / 15),
  }));
  const before = await started(
    () => ok,
    store(async () => ok, calls),
  );
  for (let at = 0; at < 37; at += 5) before.source.add(events.slice(at, at + 5));
  await before.clock.until(() => before.delivery.counts.delivered === 30);
  const again: string[][] = [];
  const after = await started(
    () => ok,
    store(async () => ok, again),
  );
  after.source.add(events);
  await after.clock.until(() => after.delivery.counts.delivered === 30);
  assert.deepEqual(again, calls);
  assert.deepEqual(
    calls.map(({ length }) => length),
    [10, 5, 10, 5],
  );
  await before.delivery.stop(1000);
  await after.delivery.stop(1000);
});

test('nobody waits for company when there is no room for it', async () => {
  const run = await started(() => ok, {
    batch: { eventsMax: 100, bytesMax: 1_000_000, lingerMs: 300_000 },
    window: { eventsMax: 7, bytesMax: 1_000_000 },
  });
  run.source.add(numbered(0, 20));
  await run.clock.until(() => run.delivery.counts.delivered >= 14);
  assert.ok(run.calls.every(({ atMs }) => atMs < 1000));
  await run.delivery.stop(1000);
  assert.equal(run.delivery.counts.delivered, 20);
});

test('a source that fails against its word does not keep a stop from ending', async () => {
  const source = {
    head: 0,
    waiting: undefined,
    read: () => Promise.reject(new Error('no such file')),
  };
  const run = await started(() => ok, { source });
  await assert.rejects(run.delivery.run(), /no such file/);
  await run.delivery.stop(1000);
  assert.equal(run.status().state, 'stopped');
});
