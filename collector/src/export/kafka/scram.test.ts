import assert from 'node:assert/strict';
import test from 'node:test';
import { saslScramSha } from '@platformatic/kafka';
import { leavesOf } from './answers.ts';
import { NoKafka } from './guard.ts';
import { boundedScram } from './scram.ts';

// That it logs in with a right password is seen with Apache Kafka, in test/interop.

/** Begins to log in to a broker that wants so many iterations; why it did not go on, undefined when it did. */
function refusal(iterations: number): Promise<Error | undefined> {
  return new Promise((resolve) => {
    let step = 0;
    const api = (_connection: unknown, message: Buffer, answer: (error: null, response: object) => void) => {
      step += 1;
      if (step === 2) return resolve(undefined);
      const nonce = /r=([^,]+)/.exec(message.toString())?.[1];
      return answer(null, { authBytes: Buffer.from(`r=${nonce}x,s=c2FsdA==,i=${iterations}`) });
    };
    boundedScram(saslScramSha)('SCRAM-SHA-512', {} as never, api as never, 'u', 'p', undefined, ((error: Error) =>
      resolve(error)) as never);
  });
}

test('a broker that wants endless work is refused at once, the usual work is done', async () => {
  assert.equal(await refusal(4096), undefined);
  assert.equal(await refusal(16_384), undefined);
  const [reason] = leavesOf(await refusal(2_000_000_000));
  assert.ok(reason instanceof NoKafka);
  assert.match(reason.message, /wants 2000000000 iterations of SCRAM; 100000 are made/);
});
