import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createFieldTable } from '../../model/fields.ts';
import { Attribute, type AttributeSource, ValueType } from '../../model/span-batch.ts';
import type { Value } from '../../model/value.ts';
import { redactorOf } from '../testing/redactor.ts';
import { AttributeMapWriter } from './attribute-map.ts';
import { RowWriter } from './rowbinary.ts';

interface Given {
  readonly field: string;
  readonly type: 'double' | 'bool' | 'array' | 'empty' | 'int';
  readonly value: number;
}

const given: fc.Arbitrary<Given> = fc.record({
  field: fc.constantFrom('a', 'b', 'c'),
  type: fc.constantFrom('double', 'bool', 'array', 'empty', 'int'),
  value: fc.constantFrom(0, 1, 7),
});

test('values are written the same whatever stood in the spans before, and what is taken out is counted each time', () => {
  fc.assert(
    fc.property(fc.array(fc.array(given, { minLength: 1, maxLength: 3 }), { maxLength: 12 }), (spans) => {
      const fields = createFieldTable();
      const redactor = redactorOf(redacted7);
      const writer = new AttributeMapWriter(fields, redactor);
      const expected = spans.reduce((sum, span) => sum + redactions(lastOf(span)), 0);
      for (const span of spans) {
        const batch = sourceOf(span, (name) => fields.intern(name));
        assert.deepEqual(written(writer, batch, span), written(new AttributeMapWriter(fields), batch, span, redacted7));
      }
      assert.equal(redactor.replaced, expected);
    }),
    { numRuns: 500 },
  );
});

/** Of duplicate names the last one. */
function lastOf(span: readonly Given[]): Given[] {
  return [...new Map(span.map((each) => [each.field, each])).values()];
}

function redactions(span: readonly Given[]): number {
  return span.filter(({ type, value }) => type === 'array' && value === 7).length;
}

/** Takes out lists of a seven. */
function redacted7(text: string): string {
  return text === '[7]' ? 'gone' : text;
}

/** With a change to each text, for a writer without a redactor. */
function written(
  writer: AttributeMapWriter,
  batch: AttributeSource,
  span: readonly Given[],
  change?: typeof redacted7,
) {
  const out = new RowWriter();
  writer.begin(batch);
  writer.write(out, 0, span.length);
  const text = out.view().toString('latin1');
  return change === undefined ? text : text.replaceAll('\x03[7]', '\x04gone');
}

/** The bytes of a value tell what it is, as with a decoder. */
function sourceOf(span: readonly Given[], intern: (name: string) => number): AttributeSource {
  const bytes = Buffer.alloc(span.length * 8);
  const attributes = new Int32Array(span.length * Attribute.stride);
  for (const [row, { field, type, value }] of span.entries()) {
    bytes.writeDoubleLE(value + 0.5, row * 8);
    const at = row * Attribute.stride;
    attributes[at + Attribute.field] = intern(field);
    attributes[at + Attribute.type] = ValueType[type];
    attributes[at + Attribute.value] = type === 'bool' ? value & 1 : row * 8;
    attributes[at + Attribute.length] = type === 'array' ? 8 : 0;
  }
  const attributeValue = (row: number): Value => {
    const at = row * Attribute.stride;
    const half = bytes.readDoubleLE(row * 8);
    switch (attributes[at + Attribute.type]) {
      case ValueType.bool:
        return attributes[at + Attribute.value] !== 0;
      case ValueType.array:
        return [half - 0.5];
      case ValueType.double:
        return half;
      case ValueType.int:
        return half - 0.5;
      default:
        return null;
    }
  };
  return { bytes, attributes, attributeValue } as AttributeSource;
}
