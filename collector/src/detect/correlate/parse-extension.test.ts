import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { lintRules } from '../lint.ts';
import { readRules } from '../load.ts';

const bases = ['a', 'b', 'c', 'd']
  .map(
    (name) =>
      `title: ${name}\nname: ${name}\nlogsource: {product: ai_agent, category: tool}\n` +
      `detection: {s: {tool: ${name}}, condition: s}\n`,
  )
  .join('---\n');

function read(body: string) {
  const lines = body.split('\n').map((line) => `  ${line}`);
  const text = `title: c\nname: x\ncorrelation:\n${lines.join('\n')}\n---\n${bases}`;
  return readRules([{ path: 'r.yml', text }]);
}

function errorsOf(body: string): string {
  return read(body)
    .errors.map(({ message, position, advice }) => {
      const { file, line, column } = position!;
      return `${file}:${line}:${column}: ${message}\n  ${advice ?? ''}`;
    })
    .join('\n');
}

const good = {
  new_value: 'type: new_value\nrules: [a]\ngroup-by: [g]\nfield: v\nlearn: 7d\nttl: 30d',
  rare: 'type: rare\nrules: [a]\ngroup-by: [g]\nfield: v\nmax_share: 0.1%\nmin: 1000\nhistory: 30d',
  rate_anomaly:
    'type: rate_anomaly\nrules: [a, b]\ngroup-by: [g]\nmeasure: ratio(a, b)\nbucket: 5m\nhistory: 7d\nscore: 6\nmin: 20',
  absence: 'type: absence\nrules: [a, b]\nwithin: 15m\nmatch-on: [g]',
  flow: 'type: flow\nfrom: [untrusted]\nto: [pay, send]\nvia: [value]\nunless: [user_supplied]',
  temporal: 'type: temporal\nrules: [a, b, c, d]\ngroup-by: [g]\ntimespan: 5m\ncondition: a and (b or c) and not d',
} as const;

describe('our own types', () => {
  for (const [type, body] of Object.entries(good)) {
    test(`${type} is read without an error`, () => assert.equal(errorsOf(body), ''));
  }

  for (const [type, from, to, wanted] of [
    ['new_value', 'field: v\n', '', 'new_value needs a `field`.*\n  .*gen_ai.tool.name'],
    ['new_value', 'learn: 7d', 'lern: 7d', 'r.yml:8:3: unknown key `lern`.*\n  Write `learn`'],
    ['new_value', 'learn: 7d\n', '', 'a time to learn.*\n  .*learn_events'],
    ['new_value', 'learn: 7d', 'learn: 60d', 'r.yml:8:10: it learns for longer'],
    ['new_value', 'learn: 7d', 'learn_events: some', '`learn_events` takes a whole number from 1 on'],
    ['new_value', 'learn: 7d', 'learn: 7d\ntimespan: 5m', '`timespan` means nothing for new_value'],
    ['new_value', 'ttl: 30d', 'ttl: 1000d', 'longer than 366 days'],
    ['rare', 'max_share: 0.1%\n', '', 'rare needs a bound'],
    ['rare', '0.1%', '120%', 'r.yml:8:14: `max_share` takes a share'],
    ['rare', 'min: 1000\n', '', 'how much history is enough'],
    ['rate_anomaly', 'measure: ratio(a, b)', 'measure: mean(v)', '`mean\\(v\\)` is no measure'],
    ['rate_anomaly', 'ratio(a, b)', 'ratio(a)', '`ratio` takes 2 names'],
    ['rate_anomaly', 'ratio(a, b)', 'ratio(a, c)', 'a rule that `rules` does not list.*\n  Listed: a, b'],
    ['rate_anomaly', 'bucket: 5m', 'bucket: 1s', '604800 buckets, more than 4096'],
    ['rate_anomaly', 'min: 20', 'min: 3000', 'never holds the 3000'],
    ['rate_anomaly', 'score: 6', 'direction: sideways', 'takes one of up, down, both'],
    ['absence', '[a, b]', '[a, b, c]', 'absence takes two rules'],
    ['absence', 'within: 15m\n', '', 'how far to look back'],
    ['absence', 'within: 15m', 'scope: conversation', 'takes one of trace, session'],
    ['flow', '[untrusted]', '[untrused]', 'r.yml:5:10: `from` does not know `untrused`\n  Write `untrusted`'],
    ['flow', 'to: [pay, send]\n', '', 'flow needs a sink'],
    ['flow', 'to: [pay, send]', 'to: []', '`to` names nothing'],
    ['temporal', 'and not d', '', 'says nothing of `d`'],
    ['temporal', 'and not d', 'and not e', 'r.yml:8:37: .*`e`'],
    ['temporal', 'a and (b or c) and not d', 'not a or b or c or d', 'holds where no rule matched'],
    ['temporal', 'a and (b or c) and not d', 'a and b and c and d and not a', 'nothing satisfies'],
    ['temporal', '[a, b, c, d]', '[a, a, b, c, d]', 'cannot tell a rule from itself'],
  ] as const) {
    test(`${type}: \`${to || `without ${from.trim()}`}\` is refused with place and advice`, () => {
      const body = good[type];
      assert.ok(body.includes(from));
      assert.match(errorsOf(body.replace(from, to)), new RegExp(wanted));
    });
  }

  test('one run says everything that is wrong', () => {
    const found = errorsOf('type: flow\nfrom: [web]\nto: [send]\nvia: [guess]\nkinds: [mail]\nidle: soon');
    assert.equal(found.split('\n  ').length - 1, 4);
  });

  test('lint knows the fields of our types as well', () => {
    const text = `title: c\nname: x\ncorrelation: {type: new_value, rules: [a], group-by: [spanwarden.agnt], field: spanwarden.x, learn: 1d}\n---\n${bases}`;
    const { errors } = lintRules([{ path: 'r.yml', text }], { knownFields: [{ name: 'spanwarden.agent' }] });
    assert.deepEqual(
      errors.map(({ message }) => message),
      ['there is no field `spanwarden.agnt`', 'there is no field `spanwarden.x`'],
    );
  });
});
