import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createFieldTable, type FieldTable } from '../../model/fields.ts';
import type { SpanEvents } from '../../model/span-events.ts';
import type { Value } from '../../model/value.ts';
import { redactorOf } from '../testing/redactor.ts';
import { RowWriter } from './rowbinary.ts';
import { FactMapWriter } from './span-facts.ts';

const member = fc.oneof(
  fc.constantFrom('read', 'write', 'secret', 'x'.repeat(40)),
  fc.integer({ min: 0, max: 99 }).map((number) => `path-${number}`),
  fc.constantFrom(0, -0, 7, 1.5, -1, 2 ** 32 - 1, 2 ** 32, true, 9007199254740993n),
);
const spans = fc.array(fc.record({ a: fc.oneof(member, fc.array(member, { maxLength: 4 })), b: member }), {
  maxLength: 40,
});

test('facts are written as texts, the same whatever was written before, and secrets are taken out each time', () => {
  fc.assert(
    fc.property(spans, (all) => {
      const fields = createFieldTable();
      const redactor = redactorOf(withoutSecret);
      const writer = new FactMapWriter(fields, ['a', 'b'], redactor);
      for (const span of all) assert.deepEqual(written(writer, fields, span), expected(span));
      const secrets = all.flatMap(({ a, b }) => [a, b].flat()).filter((each) => each === 'secret');
      assert.equal(redactor.replaced, secrets.length);
    }),
    { numRuns: 300 },
  );
});

function written(writer: FactMapWriter, fields: FieldTable, span: Readonly<Record<string, Value>>): string {
  const out = new RowWriter();
  const value = (_: number, field: number) => span[fields.name(field)];
  writer.write(out, { categories: () => 1, value } as unknown as SpanEvents, 0);
  return out.view().toString('latin1');
}

/** Every member by itself, as text. */
function expected(span: Readonly<Record<string, Value>>): string {
  const out = new RowWriter();
  out.u8(2);
  for (const [name, value] of Object.entries(span)) {
    out.string(name);
    const members = [value].flat();
    out.varint(members.length);
    for (const each of members) out.string(withoutSecret(String(each)));
  }
  return out.view().toString('latin1');
}

function withoutSecret(text: string): string {
  return text === 'secret' ? 'gone' : text;
}
