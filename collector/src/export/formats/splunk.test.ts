import assert from 'node:assert/strict';
import test from 'node:test';
import { openFormat } from './index.ts';
import { caseEvent, context, findingEvent } from './testing/events.ts';
import { assertGoldens } from './testing/goldens.ts';
import { assertHarmlessJson } from './testing/json-laws.ts';
import { assertFits } from './testing/laws.ts';

const format = openFormat('splunk');

test('the finding and the case as they are committed', () => assertGoldens('splunk', format));

test('no text of an event adds a member, and each comes back', () => assertHarmlessJson(format));

test('texts are cut to the bytes that are allowed', () => {
  assertFits(format, (body) => JSON.parse(body).event.id);
});

test('no field of the user takes the place of one of ours, and none is both indexed and in the event', () => {
  const extraFields = () => ({ severity: 'none', spanwarden_agent: 'other', 'trace.id': 'x', team: 'a' });
  for (const event of [findingEvent, caseEvent]) {
    const { event: told, fields, ...around } = JSON.parse(format.encode(event, { ...context, extraFields }));
    assert.deepEqual(
      Object.keys(fields).filter((name) => name in told || name in around),
      [],
    );
    assert.equal(fields.spanwarden_agent, 'support-agent');
    assert.equal(fields.team, 'a');
    assert.equal(fields.severity, undefined);
  }
});

test('the time is in seconds with their fraction', () => {
  assert.equal(JSON.parse(format.encode(findingEvent, context)).time, 1_795_860_140.25);
});
