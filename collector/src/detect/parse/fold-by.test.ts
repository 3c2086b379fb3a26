import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRules } from '../load.ts';

const rule = (foldBy: string, body = 'detection: {a: {x: 1}, condition: a}'): string => `title: t
id: 0a1b2c3d-0000-4000-8000-000000000001
logsource: {product: ai_agent, category: tool}
${body}
fold-by: ${foldBy}
`;

function read(text: string): { readonly fields: readonly string[] | undefined; readonly errors: readonly string[] } {
  const { rules, errors } = readRules([{ path: 'r.yml', text }]);
  const fields = rules[0]?.meta.foldBy?.map(({ name }) => name);
  return { fields, errors: errors.map(({ position, message }) => `${position?.line}: ${message}`) };
}

test('fold-by names one field or several', () => {
  assert.deepEqual(read(rule('[user.id, gen_ai.agent.name]')).fields, ['user.id', 'gen_ai.agent.name']);
  assert.deepEqual(read(rule('user.id')).fields, ['user.id']);
});

test('anything else is an error that says where', () => {
  for (const [text, message] of [
    ['[]', /takes 1 to 16 fields/],
    ['{a: b}', /names of fields/],
    ['[a|contains]', /without modifiers/],
    ['[7]', /names of fields/],
    ['[a, a]', /twice/],
    [`[${Array.from({ length: 17 }, (_, index) => `f${index}`).join(', ')}]`, /takes 1 to 16/],
  ] as const) {
    const { errors } = read(rule(text));
    assert.equal(errors.length, 1, text);
    assert.match(errors[0]!, message);
    assert.match(errors[0]!, /^5: /);
  }
});

test('correlations and filters have none', () => {
  const correlation = 'correlation: {type: event_count, rules: [x], group-by: [a], timespan: 1m, condition: {gte: 2}}';
  assert.ok(read(rule('[a]', correlation)).errors.some((error) => /belongs to detection rules/.test(error)));
});
