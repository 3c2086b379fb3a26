import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileFilter, type Filter } from './filter.ts';
import { caseEvent, findingEvent } from './testing/events.ts';

const finding = findingEvent(1, 'key', { level: 'medium', agentName: 'Helpdesk', serviceName: 'support-eu' });
const row = caseEvent({ level: 'medium', agents: ['Helpdesk', 'other'] });

function wants(filter: Filter): [finding: boolean, row: boolean] {
  const filtered = compileFilter(['finding', 'case'], filter);
  return [filtered(finding), filtered(row)];
}

test('kinds and levels', () => {
  assert.deepEqual(wants({}), [true, true]);
  assert.deepEqual([compileFilter(['case'])(finding), compileFilter(['case'])(row)], [false, true]);
  assert.deepEqual(wants({ level: 'medium' }), [true, true]);
  assert.deepEqual(wants({ level: 'high' }), [false, false]);
});

test('lists are alternatives, and all lists that are there must fit', () => {
  assert.deepEqual(wants({ agents: ['nobody', 'helpdesk'] }), [true, true]);
  assert.deepEqual(wants({ agents: ['SUPPORT-*'] }), [true, false]);
  assert.deepEqual(wants({ agents: ['other'] }), [false, true]);
  assert.deepEqual(wants({ rules: ['secret sent to*'] }), [true, true]);
  assert.deepEqual(wants({ rules: ['rule-1'] }), [false, true]);
  assert.deepEqual(wants({ rules: ['rule-1'], agents: ['helpdesk'] }), [false, true]);
  assert.deepEqual(wants({ rules: ['rule-1'], agents: ['nobody'] }), [false, false]);
});

test('tags are asked of findings alone', () => {
  assert.deepEqual(wants({ tags: ['attack.*'] }), [true, true]);
  assert.deepEqual(wants({ tags: ['attack.impact'] }), [false, true]);
  assert.deepEqual(wants({ exclude: { tags: ['owasp.llm01'] } }), [false, true]);
});

test('one list of exclude that fits is enough', () => {
  assert.deepEqual(wants({ exclude: { agents: ['helpdesk'], rules: ['none'] } }), [false, false]);
  assert.deepEqual(wants({ exclude: { agents: ['other'] } }), [true, false]);
  assert.deepEqual(wants({ exclude: { rules: ['none'] } }), [true, true]);
});

test('a pattern matches what the same regular expression does', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'A'), maxLength: 8 });
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*'), minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(text, pattern, (agentName, glob) => {
      const filtered = compileFilter(['finding'], { agents: [glob] });
      const event = findingEvent(1, 'key', { agentName, serviceName: agentName });
      assert.equal(filtered(event), new RegExp(`^${glob.replaceAll('*', '.*')}$`, 'i').test(agentName));
    }),
    { numRuns: 2_000 },
  );
});
