import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createFieldTable } from '../model/fields.ts';
import { loadRules } from './load.ts';
import { runRuleTests, type TestSpan, testSpanId } from './rule-tests.ts';
import { plainEvents, ruleWith } from './testing/plain-events.ts';

const { rules } = loadRules([{ path: 'rules/a.yml', text: ruleWith('s:\n  gen_ai.tool.name: pay\ncondition: s') }]);

function run(text: string, path = 'rules/a.test.yml') {
  const fields = createFieldTable();
  const sent: TestSpan[] = [];
  const outcome = runRuleTests({
    rules,
    tests: [{ path, text }],
    fields,
    eventsFrom: (spans) => {
      sent.push(...spans);
      const plain = spans.map((span, index) => ({ fields: { ...span.attributes, span_id: testSpanId(index) } }));
      return plainEvents(plain, (field) => fields.name(field));
    },
  });
  return { ...outcome, sent };
}

const both = 'matches:\n  - case: pays\n    tool: pay\nnear_misses:\n  - case: reads\n    tool: read\n';

describe('rule tests', () => {
  test('pass when matches match and near misses do not', () => {
    const { results, problems } = run(both);
    assert.deepEqual(
      results.map(({ kind, name, status }) => [kind, name, status]),
      [
        ['match', 'pays', 'passed'],
        ['near_miss', 'reads', 'passed'],
      ],
    );
    assert.deepEqual(problems, []);
  });

  test('fail with the place of the case', () => {
    const { results } = run(
      both.replace('tool: pay', 'tool: read').replace('reads\n    tool: read', 'reads\n    tool: pay'),
    );
    assert.deepEqual(
      results.map(({ detail }) => detail),
      ['the span did not match', 'the span matched but must not'],
    );
    assert.deepEqual(results[0]!.problem!.position, { file: 'rules/a.test.yml', line: 2, column: 5 });
  });

  test('every span of a match must match', () => {
    const { results } = run(
      'matches:\n  - case: two\n    spans:\n      - tool: pay\n      - tool: read\nnear_misses: []\n',
    );
    assert.equal(results[0]!.detail, 'span 2 did not match');
  });

  test('a rule without a match or near miss is a problem', () => {
    assert.match(run(both.split('near_misses')[0]!).problems[0]!.message, /no near miss/);
    assert.equal(run('matches: []').problems.length, 2);
  });

  test('a test beside no rule is a problem', () => {
    assert.match(run(both, 'rules/b.test.yml').problems[0]!.message, /no loaded rule/);
    assert.match(run(`rule: nobody\n${both}`).problems[0]!.message, /no loaded rule/);
  });

  test('what is mistyped is a problem with a place', () => {
    for (const wrong of [
      'tol: pay',
      'tool: pay\n    argument: {}',
      'tool: pay\n    chat: {}',
      'tool: pay\n    kind: outer',
      'chat: {inputs: []}',
      'chat: {input: [{usr: hi}]}',
    ]) {
      const { problems } = run(`matches:\n  - case: x\n    ${wrong}\n`);
      assert.equal(problems[0]?.code, 'SW_RULE_TEST', wrong);
      assert.ok(problems[0]?.position, wrong);
    }
    assert.match(run(both.replace('case: pays', 'cse: pays')).problems[0]!.message, /no name/);
  });
});

describe('spans of a rule test', () => {
  const attributesOf = (span: string) =>
    run(`near_misses:\n  - case: x\n${span.replace(/^/gm, '    ')}\n`).sent[0]!.attributes;

  test('tool: writes what an execute_tool span has', () => {
    assert.deepEqual(
      { ...attributesOf('tool: refund\narguments: {amount: 5}\nresult: done') },
      {
        'gen_ai.operation.name': 'execute_tool',
        'gen_ai.tool.name': 'refund',
        'gen_ai.tool.call.arguments': '{"amount":5}',
        'gen_ai.tool.call.result': 'done',
      },
    );
  });

  test('chat: writes messages of the OTel conventions', () => {
    const attributes = attributesOf(
      'chat:\n  system: be kind\n  input: [{user: hi}, {call: {look: {id: 1}}}, {result: found}]\n  output: [{assistant: bye}]',
    );
    assert.deepEqual(JSON.parse(String(attributes['gen_ai.input.messages'])), [
      { role: 'user', parts: [{ type: 'text', content: 'hi' }] },
      { role: 'assistant', parts: [{ type: 'tool_call', id: 'call_1', name: 'look', arguments: { id: 1 } }] },
      { role: 'tool', parts: [{ type: 'tool_call_response', id: 'call_1', response: 'found' }] },
    ]);
    assert.deepEqual(JSON.parse(String(attributes['gen_ai.system_instructions'])), [
      { type: 'text', content: 'be kind' },
    ]);
    assert.ok(String(attributes['gen_ai.output.messages']).includes('bye'));
  });

  test('attributes: are sent as they are, structures as JSON text', () => {
    const attributes = attributesOf('span: s\nattributes: {a: 1, b: [x, y], c: {d: 1}, e: [{f: 2}]}');
    assert.deepEqual({ ...attributes }, { a: 1, b: ['x', 'y'], c: '{"d":1}', e: '[{"f":2}]' });
  });
});
