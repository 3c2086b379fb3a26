import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Destination, SendOutcome } from '../collector/src/export/contract.ts';
import { kafka } from '../collector/src/export/destinations/kafka.ts';
import type { ExportEvent, FindingEvent } from '../collector/src/model/export-event.ts';
import { caseEvent, findingEvent, hostileText } from './support/export-events.ts';
import { api, KafkaMock, type ReadRecord } from './support/receivers/kafka-mock.ts';
import { assertDelivered, context, send } from './support/receivers/opened.ts';

// Kafka against librdkafka's brokers, read back by kcat. What they cannot do (logins, TLS, a disk) is in test/interop.

const topic = 'findings';

function settings(brokers: readonly string[], own: object = {}) {
  return { type: 'kafka', brokers, topic, security: 'none', timeout_ms: 10_000, ...own };
}

async function open(t: TestContext, brokers: readonly string[], own: object = {}): Promise<Destination> {
  const destination = await kafka.open(kafka.schema.parse(settings(brokers, own)), context);
  t.after(() => destination.close());
  return destination;
}

/** A cluster with the topic, or undefined when the test is skipped. */
async function mock(t: TestContext, { partitions = 4, brokers = 3 } = {}): Promise<KafkaMock | undefined> {
  const started = await KafkaMock.start(brokers);
  if (typeof started === 'string') {
    t.skip(started);
    return undefined;
  }
  t.after(() => started.stop());
  await started.createTopic(topic, partitions);
  return started;
}

/** About different cases. */
function findings(count: number, text?: string): FindingEvent[] {
  return Array.from({ length: count }, (_, index) => ({ ...findingEvent(index + 1, text), orderKey: `case-${index}` }));
}

function idsOf(records: readonly ReadRecord[]): string[] {
  return records.map(({ headers }) => headers.event_id ?? '');
}

function sortedIds(events: readonly ExportEvent[]): string[] {
  return events.map(({ id }) => id).sort();
}

function reasonOf(outcome: SendOutcome): string {
  const text = outcome.status === 'delivered' ? outcome.answer : outcome.reason;
  assert.ok(text.length <= 300, `${text.length} characters`);
  return text;
}

describe('with brokers that work', () => {
  for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
    for (const idempotent of [true, false]) {
      test(`events arrive with key and headers: ${compression}${idempotent ? ', idempotent' : ''}`, async (t) => {
        const cluster = await mock(t);
        if (!cluster) return;
        const to = await open(t, cluster.brokers, { compression, idempotent });
        const events = [...findings(5, hostileText), caseEvent(9, hostileText)];
        const outcome = await send(to, events);
        assertDelivered(outcome);
        assert.match(reasonOf(outcome), /^findings: stored in partition \d at 0/);
        const records = await cluster.records(topic);
        assert.deepEqual(idsOf(records).sort(), sortedIds(events));
        for (const { key, payload, headers } of records) {
          const event = events.find(({ id }) => id === headers.event_id);
          assert.equal(key, event?.orderKey);
          assert.equal(headers['content-type'], 'application/json');
          assert.equal((JSON.parse(payload) as { event_id: string }).event_id, event?.id);
        }
      });
    }
  }

  test('what is about one case has one partition, that of Java producers, and stays in order', async (t) => {
    // A power of two would hide the highest bit, by which Java's hash differs from others.
    const cluster = await mock(t, { partitions: 7 });
    if (!cluster) return;
    const to = await open(t, cluster.brokers);
    const events = Array.from({ length: 40 }, (_, index) => ({
      ...findingEvent(index + 1),
      orderKey: `case-${index % 5}`,
    }));
    for (const half of [events.slice(0, 20), events.slice(20)]) assertDelivered(await send(to, half));
    const records = await cluster.records(topic);
    for (const key of ['case-0', 'case-1', 'case-2', 'case-3', 'case-4']) {
      const own = records.filter((record) => record.key === key);
      assert.deepEqual(
        idsOf(own),
        events.filter(({ orderKey }) => orderKey === key).map(({ id }) => id),
      );
      assert.deepEqual([...new Set(own.map(({ partition }) => partition))], [await cluster.partitionOf(topic, key)]);
    }
  });

  test('brokers that are not there, and leaders that move, cost no event and double none', async (t) => {
    const cluster = await mock(t, { partitions: 1 });
    if (!cluster) return;
    const [nobody, somebody] = ['127.0.0.1:1', cluster.brokers[0]!];
    const to = await open(t, [nobody, somebody]);
    const events = findings(3);
    for (const [index, event] of events.entries()) {
      await cluster.call({ name: 'setLeader', topic, partition: 0, broker: index + 1 });
      assertDelivered(await send(to, [event]));
    }
    assert.deepEqual(
      idsOf(await cluster.records(topic)),
      events.map(({ id }) => id),
    );
  });

  test('the key may be what the user wants', async (t) => {
    const cluster = await mock(t);
    if (!cluster) return;
    const to = await open(t, cluster.brokers, { key: '{service}/{user}' });
    const [finding, nobody] = [findingEvent(1), caseEvent(2)];
    assertDelivered(await send(to, [finding]));
    assertDelivered(await send(await open(t, cluster.brokers, { key: '{service}' }), [nobody]));
    const keys = (await cluster.records(topic)).map(({ key }) => key).sort();
    assert.deepEqual(keys, [nobody.orderKey, 'support/user-1'].sort());
  });

  test('CloudEvents are in binary mode', async (t) => {
    const cluster = await mock(t);
    if (!cluster) return;
    const to = await open(t, cluster.brokers, { format: 'cloudevents' });
    const event = caseEvent(1);
    assertDelivered(await send(to, [event]));
    const [record] = await cluster.records(topic);
    assert.deepEqual(record?.headers, {
      'content-type': 'application/json',
      event_id: event.id,
      ce_specversion: '1.0',
      ce_id: event.id,
      ce_source: '/spanwarden/collector-1',
      ce_type: 'spanwarden.case.create',
      ce_subject: event.case.id,
      ce_time: '2026-09-21T14:13:20.000Z',
    });
    assert.equal((JSON.parse(record?.payload ?? '') as { kind: string }).kind, 'case');
  });

  test('bodies stay within message_bytes_max, whatever the texts', async (t) => {
    const cluster = await mock(t);
    if (!cluster) return;
    const to = await open(t, cluster.brokers, { message_bytes_max: 16_384, key: '{agent}' });
    const event = findingEvent(1, '\u0000\u{1f600}"'.repeat(100_000));
    assert.ok(to.encode(event).length + to.limits.overheadBytes <= 16_384);
    assertDelivered(await send(to, [event]));
    const [record] = await cluster.records(topic);
    const headers = JSON.stringify(record?.headers ?? {});
    assert.ok(Buffer.byteLength(`${record?.key}${record?.payload}${headers}`) <= 16_384);
  });
});

describe('with brokers that fail', () => {
  test('a message that is too large is refused alone, and the others arrive once', async (t) => {
    const cluster = await mock(t);
    if (!cluster) return;
    for (const partition of [0, 1, 2, 3]) {
      await cluster.call({ name: 'setLeader', topic, partition, broker: partition === 0 ? 1 : 2 });
    }
    const to = await open(t, cluster.brokers);
    const events = findings(12);
    // One of the two requests that the batch makes is refused.
    await cluster.call({ name: 'failRequests', api: api.produce, codes: [10] });
    const outcome = await send(to, events);
    assert.equal(outcome.status, 'delivered', JSON.stringify(outcome));
    const { again = [], refused = [] } = outcome as Extract<SendOutcome, { status: 'delivered' }>;
    const stored = new Set(idsOf(await cluster.records(topic)));
    const left = events.flatMap(({ id }, index) => (stored.has(id) ? [] : [index]));
    assert.ok(stored.size > 0 && left.length > 0);
    assert.deepEqual(
      [...again, ...refused.map(({ index }) => index)].sort((a, b) => a - b),
      left,
    );
    for (const index of left) assertDelivered(await send(to, [events[index]!]));
    assert.deepEqual(idsOf(await cluster.records(topic)).sort(), sortedIds(events));
    await cluster.call({ name: 'failRequests', api: api.produce, codes: [10] });
    const alone = await send(to, [events[0]!]);
    assert.deepEqual((alone as { refused?: unknown }).refused, [
      {
        index: 0,
        reason:
          'MESSAGE_TOO_LARGE (10): The request included a message larger than the max message size the server will accept.',
      },
    ]);
  });

  test('several that are too large together go in halves', async (t) => {
    const cluster = await mock(t, { partitions: 1 });
    if (!cluster) return;
    const to = await open(t, cluster.brokers);
    await cluster.call({ name: 'failRequests', api: api.produce, codes: [10] });
    const outcome = await send(to, findings(4));
    assert.equal(outcome.status, 'too_large', JSON.stringify(outcome));
    assert.deepEqual(await cluster.records(topic), []);
  });

  for (const [code, name, status] of [
    [19, 'NOT_ENOUGH_REPLICAS', 'retryable'],
    [7, 'REQUEST_TIMED_OUT', 'retryable'],
    [29, 'TOPIC_AUTHORIZATION_FAILED', 'misconfigured'],
    [87, 'INVALID_RECORD', 'refused'],
    [76, 'UNSUPPORTED_COMPRESSION_TYPE', 'misconfigured'],
  ] as const) {
    test(`${name} is ${status}, and said so`, async (t) => {
      const cluster = await mock(t, { partitions: 1 });
      if (!cluster) return;
      const to = await open(t, cluster.brokers, { idempotent: false });
      await cluster.call({ name: 'failRequests', api: api.produce, codes: [code] });
      const outcome = await send(to, findings(2));
      assert.equal(outcome.status, status, JSON.stringify(outcome));
      assert.match(reasonOf(outcome), new RegExp(`^${name} \\(${code}\\): .`));
      assertDelivered(await send(to, findings(2)));
      assert.equal((await cluster.records(topic)).length, 2);
    });
  }

  test('a topic that is not there is the setup', async (t) => {
    const cluster = await mock(t);
    if (!cluster) return;
    await cluster.call({ name: 'failTopic', topic, code: 3 });
    const outcome = await send(await open(t, cluster.brokers), findings(2));
    assert.equal(outcome.status, 'misconfigured', JSON.stringify(outcome));
    assert.match(reasonOf(outcome), /Unknown topic findings/);
  });

  test('brokers that are down are retryable, and all goes on when they are back', async (t) => {
    const cluster = await mock(t);
    if (!cluster) return;
    const to = await open(t, cluster.brokers);
    assertDelivered(await send(to, findings(3)));
    for (const broker of [1, 2, 3]) await cluster.call({ name: 'setDown', broker });
    const down = await send(to, findings(6).slice(3));
    assert.equal(down.status, 'retryable', JSON.stringify(down));
    assert.match(reasonOf(down), /^127\.0\.0\.1:\d+: (ECONNREFUSED|ECONNRESET)$/);
    for (const broker of [1, 2, 3]) await cluster.call({ name: 'setUp', broker });
    assertDelivered(await send(to, findings(6).slice(3)));
    assert.deepEqual(idsOf(await cluster.records(topic)).sort(), sortedIds(findings(6)));
  });

  test('the cluster dies in the middle of a batch', async (t) => {
    const cluster = await mock(t);
    if (!cluster) return;
    const to = await open(t, cluster.brokers);
    assertDelivered(await send(to, findings(1)));
    for (const broker of [1, 2, 3]) await cluster.call({ name: 'delay', broker, ms: 2000 });
    const sending = send(to, findings(3));
    setTimeout(() => void cluster.stop(), 300);
    const outcome = await sending;
    assert.equal(outcome.status, 'retryable', JSON.stringify(outcome));
  });

  test('brokers that say nothing are waited for as long as timeout_ms, and the caller can stop waiting', async (t) => {
    const cluster = await mock(t);
    if (!cluster) return;
    const to = await open(t, cluster.brokers, { timeout_ms: 300 });
    for (const broker of [1, 2, 3]) await cluster.call({ name: 'delay', broker, ms: 60_000 });
    const outcome = await send(to, findings(1));
    assert.equal(outcome.status, 'retryable');
    assert.match(reasonOf(outcome), /timeout_ms \(300 ms\)/);
    const stop = new AbortController();
    const patient = await open(t, cluster.brokers);
    const sending = send(patient, findings(1), stop.signal);
    stop.abort();
    assert.equal((await sending).status, 'retryable');
    assert.equal((await send(patient, findings(1), stop.signal)).status, 'retryable');
  });
});
