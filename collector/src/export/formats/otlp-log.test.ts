import assert from 'node:assert/strict';
import test from 'node:test';
import { openFormat } from './index.ts';
import { otlpAttributes } from './otlp-log.ts';
import { context, findingEvent } from './testing/events.ts';
import { assertGoldens } from './testing/goldens.ts';
import { assertHarmlessJson } from './testing/json-laws.ts';
import { assertFits } from './testing/laws.ts';

const format = openFormat('otlp');

test('the finding and the case as they are committed', () => assertGoldens('otlp', format));

test('no text of an event adds a member or an attribute, and each comes back', () => {
  const known = new Set([...otlpAttributes.map(({ key }) => key), 'team', 'a.b']);
  assertHarmlessJson(format, (read) => {
    const keys = (read as { attributes: { key: string }[] }).attributes.map(({ key }) => key);
    assert.deepEqual(
      keys.filter((key) => !known.has(key)),
      [],
    );
    assert.equal(new Set(keys).size, keys.length);
  });
});

test('texts are cut to the bytes that are allowed', () => {
  assertFits(format, (body) => {
    const attributes: { key: string; value: { stringValue: string } }[] = JSON.parse(body).attributes;
    const of = (key: string) => attributes.find((attribute) => attribute.key === key)?.value.stringValue;
    return of('spanwarden.finding.id') ?? of('spanwarden.case.id');
  });
});

test('ids that are none are left out, for a receiver would refuse the request', () => {
  for (const traceId of ['', '0'.repeat(32), 'x'.repeat(32), 'ab']) {
    const finding = { ...findingEvent.finding, traceId, spanId: '0'.repeat(16) };
    const read = JSON.parse(format.encode({ ...findingEvent, finding }, context));
    assert.deepEqual([read.traceId, read.spanId], [undefined, undefined]);
  }
});

test('an attribute of the user takes the place of none of ours', () => {
  const extraFields = () => ({ 'gen_ai.agent.name': 'other', 'user.id': 'root', team: 'a' });
  const { attributes } = JSON.parse(format.encode(findingEvent, { ...context, extraFields }));
  const keys: string[] = attributes.map(({ key }: { key: string }) => key);
  assert.equal(new Set(keys).size, keys.length);
  assert.ok(!JSON.stringify(attributes).includes('root'));
  assert.ok(keys.includes('team'));
});
