import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { decodeState, encodeState } from './snapshot.ts';

const key = fc.string({ unit: 'binary', maxLength: 6 }).filter((text) => text !== '__proto__');
const { state } = fc.letrec<{ state: unknown }>((tie) => ({
  state: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, undefined, true, false, -0, Number.NaN, Number.MAX_SAFE_INTEGER, 2 ** 52, -(2 ** 52)),
    fc.integer(),
    fc.double(),
    fc.bigInt(),
    fc.bigInt({ min: -(2n ** 1200n), max: 2n ** 1200n }),
    fc.string({ unit: 'binary' }),
    // Halves of surrogate pairs reach the detector through JSON escapes.
    fc.array(fc.integer({ min: 0xd000, max: 0xe000 })).map((units) => String.fromCharCode(...units)),
    fc.constantFrom(
      '0af7651916cd43dd8448eb211c80319c',
      'b7ad6b7169203331',
      '00f067aa0ba902b7'.repeat(5),
      'ABCDEF0123456789',
    ),
    fc.uint8Array(),
    fc.array(tie('state'), { maxLength: 4 }),
    fc.array(fc.tuple(key, tie('state')), { maxLength: 4 }).map((entries) => new Map(entries)),
    fc.array(tie('state'), { maxLength: 4 }).map((members) => new Set(members)),
    fc.dictionary(key, tie('state'), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

describe('state as bytes', () => {
  test('comes back as it was', () => {
    fc.assert(
      fc.property(state, (value) => {
        assert.deepStrictEqual(decodeState(encodeState(value)), value);
      }),
      { numRuns: 500 },
    );
  });

  test('a span in many windows is one object again', () => {
    const span = { spanId: 'b7ad6b7169203331', spanName: 'a' };
    const [a, b] = decodeState(encodeState([[span], new Map([[1, span]])])) as [object[], Map<number, object>];
    assert.deepEqual(a[0], span);
    assert.equal(a[0], b.get(1));
  });

  test('more texts and spans than are remembered come back too', () => {
    const many = Array.from({ length: 70_000 }, (_, index) => ({ spanId: `s${index}`, again: `s${index % 66_000}` }));
    assert.deepEqual(decodeState(encodeState([many, many])), [many, many]);
  });

  test('any other bytes are a SyntaxError', () => {
    const whole = encodeState([{ a: [1, 'x'], spanId: 's' }, new Map([['k', 5n]]), 1n << 900n, 'é']);
    for (let length = 0; length < whole.length; length++) {
      assert.throws(() => decodeState(whole.subarray(0, length)), SyntaxError);
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decodeState(bytes);
        } catch (error) {
          assert.ok(error instanceof SyntaxError, String(error));
        }
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, byte) => {
        const flipped = Uint8Array.from(whole);
        flipped[at] = byte;
        try {
          decodeState(flipped);
        } catch (error) {
          assert.ok(error instanceof SyntaxError, String(error));
        }
      }),
    );
  });

  test('a record cannot bring a prototype', () => {
    const forged = Buffer.from(encodeState({ __pr0to__: { evil: true } }));
    forged.write('__proto__', forged.indexOf('__pr0to__'));
    assert.throws(() => decodeState(forged), SyntaxError);
  });
});
