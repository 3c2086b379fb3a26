import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { createFieldTable } from '../model/fields.ts';
import { Attribute } from '../model/span-batch.ts';
import { otlpProtobuf } from '../testing/otlp.ts';
import { AttributeIndex } from './attribute-index.ts';
import { TraceDecoder } from './trace-decoder.ts';

test('an index of names finds what going through all of them finds', () => {
  const run = fc.array(fc.oneof(fc.nat({ max: 12 }), fc.constant(5_000)), { maxLength: 12 });
  const asked = fc.array(fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 13 })), { maxLength: 40 });
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.tuple(run, run, run, run), asked), { maxLength: 4 }), (batches) => {
      const index = new AttributeIndex();
      for (const [runs, questions] of batches) {
        index.begin();
        const fields = runs.flat();
        const attributes = new Int32Array(fields.length * Attribute.stride);
        for (const [row, field] of fields.entries()) attributes[row * Attribute.stride] = field;
        for (const [which, field] of questions) {
          const first = runs.slice(0, which).flat().length;
          const { length } = runs[which]!;
          // Of an empty run nothing is asked: its place is that of the next one.
          if (length === 0) continue;
          const last = fields.slice(first, first + length).lastIndexOf(field);
          assert.equal(index.find(attributes, first, length, field), last < 0 ? -1 : first + last);
        }
      }
    }),
  );
});

test('of a span with hundreds of attributes each is found, in the next request, too', () => {
  const fields = createFieldTable();
  const decoder = new TraceDecoder(fields);
  for (const from of [0, 100]) {
    const names = Array.from({ length: 300 }, (_, i) => `key.${from + i}`);
    const attributes = Object.fromEntries(names.map((name) => [name, name]));
    const outcome = decoder.decode(otlpProtobuf([{ attributes }, { attributes: { a: 'b' } }, { attributes }]));
    assert.ok(outcome.status === 'ok');
    const { batch } = outcome;
    for (const span of [0, 2, 0]) {
      for (const name of names)
        assert.equal(batch.attributeValue(batch.findSpanAttribute(span, fields.intern(name))), name);
      assert.equal(batch.findSpanAttribute(span, fields.intern(`key.${from === 0 ? 300 : 99}`)), -1);
    }
  }
});
