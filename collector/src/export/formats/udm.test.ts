import assert from 'node:assert/strict';
import test from 'node:test';
import type { ExportEvent } from '../../model/export-event.ts';
import { openFormat } from './index.ts';
import { caseEvent, context, findingEvent } from './testing/events.ts';
import { assertGoldens } from './testing/goldens.ts';
import { assertHarmlessJson } from './testing/json-laws.ts';
import { assertFits } from './testing/laws.ts';

const format = openFormat('udm');

test('the finding and the case as they are committed', () => assertGoldens('udm', format));

test('no text of an event adds a member, and each comes back', () => assertHarmlessJson(format));

test('texts are cut to the bytes that are allowed', () => {
  assertFits(format, (body) => JSON.parse(body).additional.id);
});

test('a closed case alerts no longer', () => {
  const result = (event: ExportEvent) => JSON.parse(format.encode(event, context)).security_result[0];
  assert.deepEqual([result(caseEvent).alert_state, result(caseEvent).threat_status], ['ALERTING', 'ACTIVE']);
  const closed = result({ ...caseEvent, activity: 'close' });
  assert.deepEqual([closed.alert_state, closed.threat_status], ['NOT_ALERTING', 'CLEARED']);
});

test('techniques and sub-techniques stand apart', () => {
  const { attack_details } = JSON.parse(format.encode(findingEvent, context)).security_result[0];
  assert.deepEqual(attack_details.techniques, [
    { id: 'AML.T0086' },
    { id: 'AML.T0051', subtechnique_id: 'AML.T0051.001' },
    { id: 'T1567' },
  ]);
});
