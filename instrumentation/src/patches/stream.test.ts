import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { isSdkStream, observeStream } from './stream.ts';

beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
afterEach(() => mock.timers.reset());

function watched() {
  const stream = {
    async *iterator() {
      yield 1;
      yield 2;
    },
    [Symbol.asyncIterator]() {
      return this.iterator();
    },
  };
  const told: unknown[] = [];
  observeStream(stream, {
    chunk: (chunk) => told.push(chunk),
    error: (error) => told.push(error),
    end: (how) => told.push(how),
  });
  return { stream, told };
}

test('a stream nobody reads is closed after a minute, once', () => {
  const { told } = watched();
  mock.timers.tick(59_999);
  assert.deepEqual(told, []);
  mock.timers.tick(1_000_000);
  assert.deepEqual(told, ['unread']);
});

test('a reader that pauses for ten minutes is taken to be gone, but still gets what it asks for', async () => {
  const { stream, told } = watched();
  const iterator = stream.iterator();
  assert.equal((await iterator.next()).value, 1);
  mock.timers.tick(600_000);
  assert.equal((await iterator.next()).value, 2);
  assert.equal((await iterator.next()).done, true);
  assert.deepEqual(told, [1, 'unread']);
});

test('an observer that throws does not reach the reader', async () => {
  const { stream } = watched();
  const fails = (): never => assert.fail('no');
  observeStream(stream, { chunk: fails, error: fails, end: fails });
  const seen: number[] = [];
  for await (const item of stream) seen.push(item);
  assert.deepEqual(seen, [1, 2]);
});

test('what is no stream of the SDKs is told apart', () => {
  assert.equal(isSdkStream(watched().stream), true);
  for (const other of [null, 'text', {}, { iterator() {} }, new ReadableStream(), [1]])
    assert.equal(isSdkStream(other), false);
});
