import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { type DecodedLogs, LogDecoder } from '../../decode/log-decoder.ts';
import { type DecodedMetrics, MetricDecoder } from '../../decode/metric-decoder.ts';
import { createFieldTable } from '../../model/fields.ts';
import { Log } from '../../model/log-batch.ts';
import { Metric, Point } from '../../model/metric-batch.ts';
import { type Outcome, ok } from '../../model/outcome.ts';
import { otlpLogsProtobuf, type TestLog } from '../../testing/otlp.ts';
import { otlpMetricsProtobuf, otlpSumProtobuf, type TestSum } from '../../testing/otlp-metrics.ts';
import { logKind, pointKind } from './contents.ts';
import { ResentRecords } from './resent-records.ts';

const fields = createFieldTable();
const logDecoder = new LogDecoder(fields);
const metricDecoder = new MetricDecoder(fields);
const word = () => randomBytes(4).readInt32LE();
/** A time that is finer than a second. */
const nanos = 1_900_000_000_000_000_001n;
const landed: Promise<Outcome> = Promise.resolve(ok);

/** Sends requests of log records; gives the texts that were left of each. */
function logSender(recordsMax = 100) {
  const resends = new ResentRecords<DecodedLogs>(logKind, recordsMax, word);
  const send = (bytes: Buffer, isStored = true): string[] => {
    const outcome = logDecoder.decode(bytes);
    assert.equal(outcome.status, 'ok');
    const { batch } = outcome as { batch: DecodedLogs };
    const sift = resends.sift(batch);
    const left = Array.from({ length: batch.logCount }, (_, log) =>
      String(batch.attributeValue(batch.logs[log * Log.stride + Log.body]!)),
    );
    sift.underWay(landed);
    sift.settle(isStored);
    return left;
  };
  return {
    send: (logs: readonly TestLog[], resource?: Readonly<Record<string, string>>) =>
      send(otlpLogsProtobuf(logs, resource)),
    refuse: (logs: readonly TestLog[]) => send(otlpLogsProtobuf(logs), false),
    resends,
  };
}

/** The same for data points; gives the names of their metrics. */
function pointSender() {
  const resends = new ResentRecords<DecodedMetrics>(pointKind, 100, word);
  const send = (bytes: Buffer): string[] => {
    const outcome = metricDecoder.decode(bytes);
    assert.equal(outcome.status, 'ok');
    const { batch } = outcome as { batch: DecodedMetrics };
    const sift = resends.sift(batch);
    sift.underWay(landed);
    sift.settle(true);
    return Array.from({ length: batch.pointCount }, (_, point) => {
      const at = batch.points[point * Point.stride + Point.metric]! * Metric.stride;
      return batch.text(batch.metrics[at + Metric.name]!, batch.metrics[at + Metric.nameLength]!);
    });
  };
  return { send: (...sums: readonly TestSum[]) => send(otlpSumProtobuf(sums)), sendBytes: send };
}

const a: TestLog = { body: 'a', nanos };
const b: TestLog = { body: 'b', nanos };

describe('a log record', () => {
  test('that came before is left out of another batch', () => {
    const { send } = logSender();
    assert.deepEqual(send([a, b]), ['a', 'b']);
    assert.deepEqual(send([{ body: 'c', nanos }, a, { body: 'd', nanos }]), ['c', 'd']);
  });

  test('that is in one batch more than once is as many records, and each of them is known', () => {
    const { send } = logSender();
    assert.deepEqual(send([a, a, b, a]), ['a', 'a', 'b', 'a']);
    assert.deepEqual(send([a]), [], 'regrouped one by one');
    assert.deepEqual(send([a, a]), []);
    assert.deepEqual(send([a, b, a, a, a, a]), ['a', 'a'], 'three of five came before');
    assert.deepEqual(send([a, a, a, a, a]), []);
  });

  test('is another one with another time, severity, attribute, resource or event', () => {
    const { send } = logSender();
    send([a]);
    const others: TestLog[] = [
      { ...a, nanos: nanos + 1n },
      { ...a, severity: 9 },
      { ...a, attributes: { n: 1 } },
      { ...a, attributes: { n: 2 } },
      { ...a, eventName: 'e' },
      { ...a, spanId: '0a'.repeat(8) },
    ];
    for (const other of others) assert.equal(send([other]).length, 1, JSON.stringify(other.attributes));
    assert.equal(send([a], { 'service.name': 'other' }).length, 1);
    assert.deepEqual(send([a, ...others]), []);
  });

  test('without a time, or with one of whole seconds, is never told from another', () => {
    for (const coarse of [0n, 1_900_000_000n * 1_000_000_000n]) {
      const { send, resends } = logSender();
      for (let time = 0; time < 2; time++) assert.equal(send([{ body: 'a', nanos: coarse }]).length, 1);
      assert.equal(resends.size, 0);
    }
    const { send } = logSender();
    // 512 nanoseconds more: the lowest bits are those of a whole second.
    const fine = { body: 'a', nanos: 1_900_000_000n * 1_000_000_000n + 512n };
    assert.deepEqual([send([fine]).length, send([fine]).length], [1, 0]);
  });

  test('is unknown again when it is refused, each of several', () => {
    const { send, refuse } = logSender();
    refuse([a, a, b]);
    assert.deepEqual(send([a, a, b]), ['a', 'a', 'b']);
    refuse([a, a, a]);
    assert.deepEqual(send([a, a, a]), ['a'], 'two were stored before');
  });

  test('is stored when there is room for fewer than a batch has', () => {
    const { send } = logSender(2);
    for (const logs of [
      [a, a, a, a],
      [a, b, a, b],
      [b, b, b],
    ])
      assert.ok(send(logs).length > 0);
    assert.deepEqual(send([{ body: 'new', nanos }]), ['new']);
  });
});

describe('a data point', () => {
  const point: TestSum = { name: 'tokens', value: 7, nanos };

  test('that came before is left out of another batch', () => {
    const { send } = pointSender();
    send(point, { ...point, name: 'calls' });
    assert.deepEqual(send({ ...point, name: 'cost' }, point), ['cost']);
  });

  test('is another one with another name, unit, time, value or kind', () => {
    const { send, sendBytes } = pointSender();
    send(point);
    const others: TestSum[] = [
      { ...point, name: 'calls' },
      { ...point, unit: 's' },
      { ...point, nanos: nanos + 1n },
      { ...point, value: 8 },
    ];
    for (const other of others) assert.equal(send(other).length, 1);
    assert.deepEqual(send(...others, point), []);
    const five = otlpMetricsProtobuf(nanos);
    assert.deepEqual([sendBytes(five).length, sendBytes(five).length], [5, 0]);
    assert.equal(sendBytes(otlpMetricsProtobuf(nanos, 'other')).length, 5);
  });

  test('that is in one batch twice is two, and without a time it is never told from another', () => {
    const { send } = pointSender();
    assert.equal(send(point, point).length, 2);
    assert.equal(send(point, point, point).length, 1);
    for (let time = 0; time < 2; time++) assert.equal(send({ ...point, nanos: 0n }).length, 1);
  });
});
