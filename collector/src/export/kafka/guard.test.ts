import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { guard, NoKafka } from './guard.ts';

/** A connection to somebody who sends these pieces, read by `read` as the client would; resolves with why it ended. */
async function ended(t: TestContext, pieces: readonly Buffer[], read: (chunk: Buffer) => void): Promise<Error[]> {
  const server = createServer((socket) => {
    for (const piece of pieces) socket.write(piece);
    socket.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const socket: Socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.once('connect', () => socket.on('data', read));
  const refusals: Error[] = [];
  guard(socket, {
    ...{ host: '127.0.0.1', isTls: false, denyPrivateAddresses: false },
    failed: () => undefined,
    refused: (error) => refusals.push(error),
  });
  await new Promise((done) => socket.once('close', done));
  return refusals;
}

function answer(bytes: number): Buffer {
  const head = Buffer.alloc(4);
  head.writeInt32BE(bytes);
  return Buffer.concat([head, Buffer.alloc(bytes, 1)]);
}

test('what the client throws while it reads ends the connection, not the process', async (t) => {
  const refusals = await ended(t, [answer(8)], () => {
    throw new RangeError('Out of bounds.');
  });
  assert.deepEqual(
    refusals.map((error) => [error instanceof NoKafka, error.message]),
    [[true, 'no answer of Kafka: Out of bounds.']],
  );
});

test('answers of any length that is allowed pass, in whatever pieces they come', async (t) => {
  const whole = Buffer.concat([answer(4), answer(1000), answer(70_000)]);
  for (const pieceBytes of [1 << 20, 3, 1001]) {
    const pieces = Array.from({ length: Math.ceil(whole.length / pieceBytes) }, (_, index) =>
      whole.subarray(index * pieceBytes, (index + 1) * pieceBytes),
    );
    const seen: Buffer[] = [];
    assert.deepEqual(await ended(t, pieces, (chunk) => seen.push(chunk)), []);
    assert.deepEqual(Buffer.concat(seen), whole);
  }
});

test('the length of a later answer is looked at, too', async (t) => {
  const [refusal] = await ended(t, [answer(8), Buffer.from([0x7f, 0xff, 0xff, 0xff])], () => undefined);
  assert.equal(refusal?.message, 'no answer of Kafka: one of 2147483647 bytes');
});
