import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { ecsFields } from './ecs-fields.ts';
import { openFormat } from './index.ts';
import { caseEvent, context, findingEvent } from './testing/events.ts';
import { assertGoldens } from './testing/goldens.ts';
import { assertHarmlessJson } from './testing/json-laws.ts';
import { assertFits } from './testing/laws.ts';

const format = openFormat('ecs');

test('the finding and the case as they are committed', () => assertGoldens('ecs', format));

test('no text of an event adds a member, and each comes back', () => assertHarmlessJson(format));

test('texts are cut to the bytes that are allowed', () => {
  assertFits(format, (body) => JSON.parse(body).spanwarden.id);
});

test('every name is one of ECS or ours, with the type that it has there', () => {
  const { fields } = JSON.parse(readFileSync(join(import.meta.dirname, 'testing', 'ecs-fields.json'), 'utf8'));
  const wrong = ecsFields
    .filter(({ path }) => !path.startsWith('spanwarden.'))
    .filter(({ path, type }) => fields[path] !== type)
    .map(({ path, type }) => `${path}: ${type} is ${fields[path]}`);
  assert.deepEqual(wrong, []);
});

test('empty texts are left out', () => {
  const finding = { ...findingEvent.finding, userId: '', toolName: '', tags: [] };
  const read = JSON.parse(format.encode({ ...findingEvent, finding }, { ...context, extraFields: () => ({}) }));
  assert.deepEqual(
    [read.user, read.gen_ai.tool, read.threat, read.labels],
    [undefined, undefined, undefined, undefined],
  );
});

test('a sample is marked, and labels are flat', () => {
  const read = JSON.parse(format.encode({ ...caseEvent, isSample: true }, context));
  assert.deepEqual(read.tags, ['sample']);
  assert.deepEqual(read.labels, { environment: 'production', team_name: 'support' });
});
