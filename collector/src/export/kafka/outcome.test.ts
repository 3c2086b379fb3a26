import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type Answer, answersIn } from './answers.ts';
import { outcomeOf } from './outcome.ts';

// What the library gives, as it was seen with real brokers; test/export-kafka.test.ts has them.

const options = { show: (text: string) => text, topic: 'findings' };

function answer(code: number, own: Partial<Answer> = {}): Answer {
  return { code, said: `CODE (${code})`, offset: code === 0 ? 7n : undefined, records: new Map(), ...own };
}

test('records that a broker names are refused, those beside them are sent again', () => {
  const answers = new Map([
    [0, answer(87, { records: new Map([[1, 'INVALID_RECORD (87): no schema']]) })],
    [1, answer(0)],
  ]);
  assert.deepEqual(outcomeOf({ partitions: [0, 1, 0, 1, 0], answers }, options), {
    status: 'delivered',
    answer: 'findings: stored in partition 1 at 7',
    refused: [{ index: 2, reason: 'INVALID_RECORD (87): no schema' }],
    again: [0, 4],
  });
});

test('a record that stands alone in its partition is refused, several are not', () => {
  const answers = new Map([
    [0, answer(10)],
    [1, answer(10)],
    [2, answer(0)],
  ]);
  const outcome = outcomeOf({ partitions: [0, 1, 1, 2], answers }, options);
  assert.deepEqual(
    [outcome.status, 'refused' in outcome && outcome.refused, 'again' in outcome && outcome.again],
    ['delivered', [{ index: 0, reason: 'CODE (10)' }], [1, 2]],
  );
  assert.equal(outcomeOf({ partitions: [1, 1], answers }, options).status, 'too_large');
});

test('what the broker has from the time before is delivered', () => {
  const answers = new Map([[0, answer(46)]]);
  assert.deepEqual(outcomeOf({ partitions: [0], answers }, options), {
    status: 'delivered',
    answer: 'findings: stored in partition 0',
  });
});

test('a missing right is the setup, also where other partitions have their records', () => {
  const answers = new Map([
    [0, answer(0)],
    [1, answer(29)],
  ]);
  assert.deepEqual(outcomeOf({ partitions: [0, 1], answers }, options), {
    status: 'misconfigured',
    reason: 'CODE (29)',
  });
});

test('partitions without an answer are sent again, and the reason is that of the connection', () => {
  const error = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
  const failed = { error: new Error('Connection closed'), connections: [{ to: 'b1:9092', error }] };
  const half = outcomeOf({ partitions: [0, 1], answers: new Map([[0, answer(0)]]), failed }, options);
  assert.deepEqual(half, { status: 'delivered', answer: 'findings: stored in partition 0 at 7', again: [1] });
  assert.deepEqual(outcomeOf({ partitions: [0, 1], answers: new Map(), failed }, options), {
    status: 'retryable',
    reason: 'b1:9092: ECONNRESET',
  });
});

test('every record has one end', () => {
  const codes = fc.constantFrom(-1, 0, 3, 5, 7, 10, 19, 29, 32, 46, 87, 999);
  const given = fc.record({
    partitions: fc.array(fc.nat(4), { minLength: 1, maxLength: 20 }),
    codes: fc.dictionary(fc.constantFrom('0', '1', '2', '3', '4'), codes),
    isNamed: fc.boolean(),
  });
  fc.assert(
    fc.property(given, ({ partitions, codes: byPartition, isNamed }) => {
      const records = new Map(isNamed ? [[0, 'this one']] : []);
      const answers = new Map(
        Object.entries(byPartition).map(([key, code]) => [Number(key), answer(code, { records })]),
      );
      const outcome = outcomeOf({ partitions, answers }, options);
      if (outcome.status !== 'delivered') {
        const stored = partitions.filter((each) => [0, 46].includes(answers.get(each)?.code ?? -1));
        assert.ok(outcome.status === 'misconfigured' || stored.length === 0);
        return;
      }
      const again = new Set(outcome.again);
      const refused = new Set(outcome.refused?.map(({ index }) => index));
      for (const [index, partition] of partitions.entries()) {
        const isStored = [0, 46].includes(answers.get(partition)?.code ?? -1);
        assert.equal(Number(isStored) + Number(again.has(index)) + Number(refused.has(index)), 1);
      }
    }),
  );
});

test('of several attempts the last answer counts, unless one said that the records are there', () => {
  const response = (...parts: [number, number][]) => ({
    errors: [{ apiCode: 6, apiId: 'NOT_LEADER_OR_FOLLOWER', message: 'moved', serverErrorMessage: null }],
    response: {
      responses: [
        {
          name: 'findings',
          partitionResponses: parts.map(([index, errorCode]) => ({
            index,
            errorCode,
            baseOffset: 5n,
            recordErrors: [],
          })),
        },
      ],
    },
  });
  const error = {
    produced: { offsets: [{ topic: 'findings', partition: 9, offset: 1n }] },
    errors: [response([0, 0], [1, 6], [2, 6]), response([0, 6], [1, 0], [2, 6])],
  };
  const answers = answersIn(error);
  assert.deepEqual([...answers].map(([partition, { code }]) => [partition, code]).sort(), [
    [0, 0],
    [1, 0],
    [2, 6],
    [9, 0],
  ]);
  assert.equal(answers.get(2)?.said, 'NOT_LEADER_OR_FOLLOWER (6): moved');
});
