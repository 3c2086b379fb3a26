import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Admin } from '@platformatic/kafka';
import type { Destination, SendOutcome } from '../../collector/src/export/contract.ts';
import { kafka } from '../../collector/src/export/destinations/kafka.ts';
import type { ExportEvent } from '../../collector/src/model/export-event.ts';
import { FlakyProxy } from '../chaos/flaky-proxy.ts';
import { assertDelivered, context, send } from '../support/receivers/opened.ts';
import { Exporting, findingsOf, SharedScope } from './support/exporting.ts';
import { type ConsumedRecord, KafkaBroker, reauthMs, users } from './support/kafka-broker.ts';
import { lacking } from './support/tools.ts';

// The destination `kafka` against a broker of Apache Kafka, read back by Kafka's own console consumer.

const options = { skip: lacking('java', 'mvn') };

describe('Apache Kafka', options, () => {
  const scope = new SharedScope();
  let broker: KafkaBroker;
  let proxy: FlakyProxy;
  let admin: Admin;
  before(async () => {
    proxy = await FlakyProxy.open();
    scope.after(() => proxy.close());
    broker = await KafkaBroker.start(scope, proxy.port);
    proxy.pointTo(broker.ports.PROXIED);
    admin = new Admin({ clientId: 'interop', bootstrapBrokers: [broker.address()] });
    scope.after(() => admin.close());
  });
  after(() => scope.end());

  async function topicOf(name: string, own: Readonly<Record<string, string>> = {}, partitions = 5): Promise<string> {
    const configs = Object.entries(own).map(([key, value]) => ({ name: key, value }));
    await admin.createTopics({ topics: [name], partitions, replicas: 1, configs });
    return name;
  }

  /** Settings that lead to the broker in the clear. */
  function plain(topic: string, own: object = {}): object {
    return { type: 'kafka', brokers: [broker.address()], topic, security: 'none', timeout_ms: 10_000, ...own };
  }

  async function opened(t: TestContext, config: object): Promise<Destination> {
    const to = await kafka.open(kafka.schema.parse(config), context);
    t.after(() => to.close());
    return to;
  }

  describe('delivery', () => {
    for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
      test(`every event once, in order for each case: ${compression}`, async (t) => {
        const topic = await topicOf(`compressed-${compression}`);
        const exporting = await Exporting.start(t, plain(topic, { compression }));
        const events = findingsOf(200, 7);
        for (let at = 0; at < events.length; at += 10) exporting.add(events.slice(at, at + 10));
        await exporting.settled();
        const records = await broker.records(topic);
        assert.equal(records.length, events.length);
        assertOrder(records, events);
        for (const { headers, key, value } of records) {
          const { event_id, order_key } = JSON.parse(value) as Record<string, string>;
          assert.deepEqual([headers.event_id, key], [event_id, order_key]);
        }
      });
    }

    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      test(`no event is missing when the broker is ended by ${signal} and comes back`, async (t) => {
        const topic = await topicOf(`ended-${signal}`);
        const exporting = await Exporting.start(t, plain(topic, { compression: 'lz4' }));
        const events = findingsOf(600, 11);
        const feeding = exporting.feed(events);
        await exporting.delivered(100);
        await broker.stop(signal);
        await broker.restart();
        await feeding;
        await exporting.settled();
        assert.ok(exporting.status.counts.retried > 0, 'the broker was not missed');
        const records = await broker.records(topic);
        assertOrder(records, events);
        t.diagnostic(`${records.length - events.length} of ${events.length} events twice`);
        assert.ok(records.length <= events.length + 20, 'more than one batch came twice');
      });
    }

    for (const idempotent of [true, false]) {
      const what = idempotent ? 'is no duplicate, because brokers know the batch again' : 'is a duplicate otherwise';
      test(`an answer that is lost ${what}`, async (t) => {
        const topic = await topicOf(`lost-answer-${idempotent}`);
        const brokers = [`127.0.0.1:${proxy.port}`];
        const exporting = await Exporting.start(t, plain(topic, { brokers, idempotent }));
        const events = findingsOf(20, 3);
        exporting.add(events.slice(0, 10));
        await exporting.settled();
        const { lost } = proxy;
        proxy.loseAnswerTo(5_000);
        exporting.add(events.slice(10));
        await exporting.settled();
        assert.equal(proxy.lost, lost + 1);
        const records = await broker.records(topic);
        assertOrder(records, events);
        assert.equal(records.length > events.length, !idempotent, `${records.length} records`);
      });
    }
  });

  describe('refusals', () => {
    test('a message that is too large for its topic becomes a dead letter, and the others arrive once', async (t) => {
      const topic = await topicOf('small', { 'max.message.bytes': '30000' }, 2);
      const exporting = await Exporting.start(t, plain(topic));
      const events = findingsOf(12, 4).map((event, index) =>
        index === 5 ? { ...event, finding: { ...event.finding, reason: 'x'.repeat(40_000) } } : event,
      );
      exporting.add(events);
      await exporting.settled();
      const { counts, lastError } = exporting.status;
      assert.deepEqual([counts.delivered, counts.refused], [11, 1], JSON.stringify(lastError));
      const records = await broker.records(topic);
      assert.equal(records.length, 11);
      assertOrder(
        records,
        events.filter((_, index) => index !== 5),
      );
    });

    test('records that the broker refuses by themselves are named by it', async (t) => {
      const topic = await topicOf('punctual', { 'message.timestamp.before.max.ms': '0' }, 1);
      const outcome = await send(await opened(t, plain(topic)), findingsOf(3, 3));
      assert.equal(outcome.status, 'delivered', JSON.stringify(outcome));
      const { refused = [] } = outcome as Extract<SendOutcome, { status: 'delivered' }>;
      assert.deepEqual(
        refused.map(({ index }) => index),
        [0, 1, 2],
      );
      assert.match(refused[0]?.reason ?? '', /^INVALID_TIMESTAMP \(32\): .*out of range/);
    });

    test('a topic that is not there is the setup', async (t) => {
      const outcome = await send(await opened(t, plain('nowhere')), findingsOf(1, 1));
      assert.equal(outcome.status, 'misconfigured', JSON.stringify(outcome));
      assert.match((outcome as { reason: string }).reason, /Unknown topic nowhere/);
    });
  });

  describe('logins', () => {
    const topic = 'guarded';
    before(async () => {
      await topicOf(topic);
      // The right to write is enough; a certificate's user is its subject.
      for (const user of ['writer', 'CN=writer']) await broker.allowWriting(user, topic);
    });

    function sasl(mechanism: string, username: keyof typeof users, password: string = users[username]): object {
      return { sasl: { mechanism, username, password } };
    }
    const secure = () => ({ security: 'tls', tls: { ca_file: broker.file('ca') } });
    const certified = () => {
      const files = { cert_file: broker.file('client-cert'), key_file: broker.file('client-key') };
      return { security: 'tls', tls: { ca_file: broker.file('ca'), ...files } };
    };

    const taken = [
      ['SASL_PLAINTEXT, SCRAM-SHA-256', 'LOGIN', () => sasl('scram-sha-256', 'writer')],
      ['SASL_PLAINTEXT, SCRAM-SHA-512', 'LOGIN', () => sasl('scram-sha-512', 'writer')],
      ['SASL_SSL, PLAIN', 'BOTH', () => ({ ...secure(), ...sasl('plain', 'writer') })],
      ['SASL_SSL, SCRAM-SHA-512', 'BOTH', () => ({ ...secure(), ...sasl('scram-sha-512', 'writer') })],
      ['SSL with a certificate', 'CERT', certified],
    ] as const;
    for (const [name, listener, own] of taken) {
      test(`${name} delivers`, async (t) => {
        const config = plain(topic, { brokers: [broker.address(listener)], ...own() });
        assertDelivered(await send(await opened(t, config), findingsOf(4, 2)));
      });
    }

    test('logins that end after a while are renewed', async (t) => {
      const brokers = [broker.address('BOTH')];
      const to = await opened(t, plain(topic, { brokers, ...secure(), ...sasl('scram-sha-512', 'writer') }));
      const events = findingsOf(12, 2);
      for (const event of events) {
        assertDelivered(await send(to, [event]));
        await sleep(reauthMs / 4);
      }
    });

    const refused = [
      [
        'a wrong password',
        'LOGIN',
        () => sasl('scram-sha-512', 'writer', 'wrong-secret'),
        /SASL_AUTHENTICATION_FAILED \(58\): .*invalid credentials/,
      ],
      [
        'a wrong password, PLAIN',
        'BOTH',
        () => ({ ...secure(), ...sasl('plain', 'writer', 'wrong-secret') }),
        /SASL_AUTHENTICATION_FAILED \(58\): .*Invalid username or password/,
      ],
      ['no right to write', 'LOGIN', () => sasl('scram-sha-512', 'stranger'), /TOPIC_AUTHORIZATION_FAILED \(29\)/],
      ['no certificate', 'CERT', secure, /no TLS connection with 127\.0\.0\.1:\d+: .*CERTIFICATE/],
      ['a listener of TLS that is spoken to in the clear', 'CERT', () => ({}), /wants TLS: set security: tls/],
      [
        'an authority that is not ours',
        'BOTH',
        () => ({ security: 'tls', ...sasl('plain', 'writer') }),
        /is not trusted .*set tls\.ca_file/,
      ],
    ] as const;
    for (const [name, listener, own, said] of refused) {
      test(`${name} is the setup, and said so`, async (t) => {
        const config = plain(topic, { brokers: [broker.address(listener)], ...own() });
        const outcome = await send(await opened(t, config), findingsOf(1, 1));
        assert.equal(outcome.status, 'misconfigured', JSON.stringify(outcome));
        const { reason } = outcome as { reason: string };
        assert.match(reason, said);
        assert.doesNotMatch(reason, /wrong-secret|writer-secret/);
      });
    }

    const hungUp = [
      ['a listener of logins without one', 'LOGIN', () => ({}), /closed the connection; .*\(sasl\)/],
      ['a listener in the clear over TLS', 'PLAIN', secure, /closed the connection; .*\(security: none\)/],
    ] as const;
    for (const [name, listener, own, said] of hungUp) {
      test(`${name}: the broker just hangs up, and a hint says why it may`, async (t) => {
        const config = plain(topic, { brokers: [broker.address(listener)], ...own() });
        const outcome = await send(await opened(t, config), findingsOf(1, 1));
        assert.equal(outcome.status, 'retryable', JSON.stringify(outcome));
        assert.match((outcome as { reason: string }).reason, said);
      });
    }
  });
});

/** Every event is there; what is about one case is in one partition, and in order when repetitions are left out. */
function assertOrder(records: readonly ConsumedRecord[], events: readonly ExportEvent[]): void {
  const cases = new Set(events.map(({ orderKey }) => orderKey));
  for (const each of cases) {
    const own = records.filter(({ key }) => key === each);
    assert.equal(new Set(own.map(({ partition }) => partition)).size, 1, `${each} is in several partitions`);
    assert.deepEqual(
      [...new Set(own.map(({ headers }) => headers.event_id))],
      events.filter(({ orderKey }) => orderKey === each).map(({ id }) => id),
    );
  }
}
