import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refused } from './refused.ts';
import { caseRow } from './store/testing/cases.ts';

const none = { findings: [], cases: [] };

test('the newest row of a case that nobody has seen calls for attention when one of them did', () => {
  const refused = new Refused();
  const [opened, grown, more] = [1n, 2n, 3n].map((version) => caseRow('a', { version, alerted: version === 1n }));
  refused.keep({ findings: [], cases: [opened!] });
  refused.keep({ findings: [], cases: [grown!] });
  assert.deepEqual(refused.with({ findings: [], cases: [more!] }).cases, [{ ...more, alerted: true }]);
  assert.deepEqual(refused.with(none), none);
});

test('of two rows the newer one is kept, whichever was refused first', () => {
  const refused = new Refused();
  const [older, newer] = [caseRow('a', { version: 1n }), caseRow('a', { version: 2n, alerted: false })];
  refused.keep({ findings: [], cases: [newer] });
  refused.keep({ findings: [], cases: [older] });
  assert.deepEqual(refused.with(none).cases, [{ ...newer, alerted: true }]);
});
