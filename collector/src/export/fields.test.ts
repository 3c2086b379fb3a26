import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { limits } from '../model/limits.ts';
import { compileFields, placeholderNames, templateProblem } from './fields.ts';
import { caseEvent, findingEvent } from './testing/events.ts';

const finding = findingEvent(1, 'key', { agentName: '{rule_id}{{', caseId: 'the-case' });

test('placeholders are filled in, and what they hold is never read as one', () => {
  const filled = compileFields({ a: '{agent} of {case_id}', b: '{{agent}}', c: '', d: '{level}/{severity_id}' });
  assert.deepEqual(filled(finding), { a: '{rule_id}{{ of the-case', b: '{agent}', c: '', d: 'high/4' });
});

test('every placeholder has a value for findings and for cases', () => {
  const all = compileFields(Object.fromEntries(placeholderNames.map((name) => [name, `<{${name}}>`])));
  const ofCase = all(caseEvent());
  assert.deepEqual([ofCase.agent, ofCase.rule_id, ofCase.finding_id], ['<helpdesk>', '<rule-1>', '<>']);
  assert.equal(all(finding).event_id, `<${finding.id}>`);
  for (const text of Object.values(all(finding))) assert.match(text, /^<.*>$/);
});

test('what is wrong with a template is said', () => {
  assert.equal(templateProblem('{agent} {{x}}'), undefined);
  assert.match(templateProblem('{agnt}') ?? '', /^\{agnt\} is not known; known are kind, event_id, /);
  assert.match(templateProblem('{toString}') ?? '', /is not known/);
  assert.match(templateProblem('a { b') ?? '', /^\{ stands alone: write \{\{/);
  assert.match(templateProblem('a } b') ?? '', /^\} stands alone: write \}\}/);
});

test('long texts are cut, and no character is cut in half', () => {
  const long = findingEvent(1, 'key', { agentName: '😀'.repeat(2_000) });
  const { x } = compileFields({ x: '{agent}' })(long);
  assert.equal(x!.length, limits.exportFieldCharsMax);
  assert.ok(x!.isWellFormed() && x!.endsWith('…'));
});

test('a template without a problem can always be filled in', () => {
  const part = fc.constantFrom('{', '}', '{{', '}}', '{agent}', '{level}', 'x', '{x}', '$&');
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      const template = parts.join('');
      if (templateProblem(template) === undefined) assert.ok(compileFields({ a: template })(finding).a!.isWellFormed());
    }),
  );
});
