import assert from 'node:assert/strict';
import test from 'node:test';
import { openFormat } from './index.ts';
import type { OcsfVersion } from './ocsf-version.ts';
import { caseEvent, context, findingEvent } from './testing/events.ts';
import { assertGoldens } from './testing/goldens.ts';
import { assertHarmlessJson } from './testing/json-laws.ts';
import { assertFits } from './testing/laws.ts';
import { ocsfProblems } from './testing/ocsf-check.ts';

const versions: readonly OcsfVersion[] = ['1.1', '1.8', '1.9'];

for (const version of versions) {
  const format = openFormat('ocsf', { ocsfVersion: version });

  test(`${version}: the finding and the case as they are committed`, () => assertGoldens(`ocsf-${version}`, format));

  test(`${version}: any event keeps to the schema, and any text comes back`, () => {
    assertHarmlessJson(format, (read) => assert.deepEqual(ocsfProblems(read, version), []));
  });

  test(`${version}: what was cut keeps to the schema`, () => {
    assertFits(format, (body) => {
      const read = JSON.parse(body);
      assert.deepEqual(ocsfProblems(read, version), []);
      return read.finding_info.uid;
    });
  });
}

test('1.9 is written unless another is asked for', () => {
  assert.equal(JSON.parse(openFormat('ocsf').encode(findingEvent, context)).metadata.version, '1.9.0');
});

test('the ids that receivers know states by', () => {
  const read = JSON.parse(openFormat('ocsf').encode({ ...caseEvent, activity: 'close' }, context));
  assert.deepEqual(
    [read.finding_info.uid, read.metadata.uid, read.type_uid, read.activity_id, read.status_id, read.is_alert],
    [caseEvent.case.id, caseEvent.id, 200_403, 3, 4, false],
  );
});

test('evidence names the agent in 1.9 only, and never the agent alone', () => {
  const finding = { ...findingEvent.finding, userId: '', toolName: '', evidence: [] };
  for (const version of versions) {
    const read = JSON.parse(openFormat('ocsf', { ocsfVersion: version }).encode({ ...findingEvent, finding }, context));
    assert.equal('ai_agent' in read.evidences[0], version === '1.9');
    assert.ok('data' in read.evidences[0]);
  }
});

test('the checker finds what is wrong', () => {
  const right = JSON.parse(openFormat('ocsf').encode(findingEvent, context));
  const wrong = [
    { ...right, time: '2026-11-28' },
    { ...right, severity_id: 7 },
    { ...right, made_up: 1 },
    { ...right, evidences: right.evidences[0] },
    { ...right, evidences: [{ ai_agent: right.evidences[0].ai_agent }] },
    { ...right, metadata: { ...right.metadata, version: undefined } },
    (({ finding_info, ...rest }) => rest)(right),
  ].map((document) => ocsfProblems(JSON.parse(JSON.stringify(document)), '1.9').length);
  assert.deepEqual(wrong, [1, 1, 1, 1, 1, 1, 1]);
});
