import assert from 'node:assert/strict';
import test from 'node:test';
import { openFormat } from './index.ts';
import { caseEvent, context } from './testing/events.ts';
import { assertGoldens } from './testing/goldens.ts';
import { assertHarmlessJson } from './testing/json-laws.ts';
import { assertFits } from './testing/laws.ts';

const format = openFormat('cloudevents');

test('the finding and the case as they are committed', () => assertGoldens('cloudevents', format));

test('no text of an event adds a member, and each comes back', () => assertHarmlessJson(format));

test('texts are cut to the bytes that are allowed', () => {
  assertFits(format, (body) => {
    const { data } = JSON.parse(body);
    return (data.finding ?? data.case).id;
  });
});

test('the attributes are those of CloudEvents 1.0', () => {
  const { data, ...attributes } = JSON.parse(format.encode(caseEvent, { ...context, host: 'a b/\u202ec' }));
  assert.deepEqual(attributes, {
    specversion: '1.0',
    id: caseEvent.id,
    source: '/spanwarden/a%20b%2F%E2%80%AEc',
    type: 'spanwarden.case.update',
    subject: caseEvent.case.id,
    time: '2026-11-28T10:02:20.500Z',
    datacontenttype: 'application/json',
  });
  assert.equal(data.kind, 'case');
  // https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#naming-conventions
  for (const name of Object.keys(attributes)) assert.match(name, /^[a-z0-9]{1,20}$/);
});
