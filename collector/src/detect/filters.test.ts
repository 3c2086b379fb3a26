import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { lintRules } from './lint.ts';
import { readRules } from './load.ts';
import { findingsOf, ruleWith } from './testing/plain-events.ts';

const rule = ruleWith('s:\n  a: x\ncondition: s', 'name: a_rule\ndescription: It.\ntags: [owasp.asi01]\n');
const suppression = (more: string, rules = '[a_rule]') =>
  `title: Quiet\nid: 0b7e6a1c-6d55-4c8e-8a53-0c6b9a1e2f30\nowner: alice\nreason: planned\n${more}` +
  `logsource: {product: ai_agent}\nfilter:\n  rules: ${rules}\n  quiet: {b: quiet}\n  condition: not quiet\n`;
const at = (iso: string) => ({ a: 'x', b: 'quiet', 'span.end_time': iso });
const problems = (text: string) => readRules([{ path: 'f.yml', text }]).errors.map(({ message }) => message);

describe('suppressions', () => {
  test('apply to the end of their last day in UTC, by event time', () => {
    const spans = ['2026-12-31T23:59:59.999999999Z', '2027-01-01T00:00:00.000000000Z'].map((iso) => ({
      fields: at(iso),
    }));
    const found = findingsOf([rule, suppression('expires: 2026-12-31\n')], spans);
    assert.deepEqual(
      found.map(({ spanId }) => Number(spanId)),
      [2],
    );
    assert.equal(findingsOf([rule, suppression('')], spans).length, 0);
  });

  test('a time expires at its moment, whatever its zone', () => {
    const spans = ['2027-01-01T16:59:59.999999999Z', '2027-01-01T17:00:00.000000000Z'].map((iso) => ({
      fields: at(iso),
    }));
    const found = findingsOf([rule, suppression('expires: 2027-01-01T18:00:00+01:00\n')], spans);
    assert.deepEqual(
      found.map(({ spanId }) => Number(spanId)),
      [2],
    );
  });

  test('do nothing outside of their scope', () => {
    const fields = at('2026-01-01T00:00:00.000000000Z');
    const spans = [
      { fields: { ...fields, 'gen_ai.agent.name': 'backup' } },
      { fields: { ...fields, 'gen_ai.agent.name': 'other' } },
      { fields: { ...fields, 'gen_ai.agent.name': 'backup', b: 'z' } },
      { fields },
    ];
    const found = findingsOf([rule, suppression('scope: {agent: backup}\nexpires: 2027-01-01\n')], spans);
    assert.deepEqual(
      found.map(({ spanId }) => Number(spanId)),
      [2, 3, 4],
    );
  });

  test('what they say is kept, and what is wrong is told with advice', () => {
    const sources = [rule, suppression('expires: 2027-01-01\nscope: {service: s}\n')].map((text, i) => ({
      path: `${i}.yml`,
      text,
    }));
    const [filter] = readRules(sources).filters;
    const { owner, reason, expires, isSuppression } = filter!.meta;
    assert.deepEqual([owner, reason, expires, isSuppression], ['alice', 'planned', '2027-01-01', true]);
    assert.deepEqual(filter!.ruleIds, ['6f2f2a54-7ed9-4d3f-a8d8-6f1f6d9f2b10']);
    for (const wrong of ['soon', '2027-02-30', '2027-1-1', '2027-01-01T10:00', '[2027-01-01]', '20270101']) {
      assert.match(problems(suppression(`expires: ${wrong}\n`))[0] ?? '', /no date/, wrong);
    }
    assert.match(problems(suppression('scope: {shop: x}\n'))[0]!, /knows no `shop`/);
    assert.match(problems(suppression('scope: [agent]\n'))[0]!, /takes a map/);
  });

  test('lint tells expired ones, missing owners, and rules it cannot reach', () => {
    const messages = (text: string) =>
      lintRules(
        [
          { path: 'r.yml', text: rule },
          { path: 'f.yml', text },
        ],
        { knownFields: [], nowMs: Date.UTC(2027, 0, 2) },
      )
        .warnings.filter(({ position }) => position?.file === 'f.yml')
        .map(({ code, message }) => `${code}: ${message}`);
    assert.deepEqual(messages(suppression('expires: 2027-01-02\n')), []);
    assert.match(messages(suppression('expires: 2027-01-01\n')).join(), /^SW_RULE_EXPIRED: .*expired on 2027-01-01/);
    assert.match(messages(suppression('').replace('owner: alice\n', '')).join(), /no owner and no expires/);
    const other = suppression('expires: 2028-01-01\n').replace('ai_agent}', 'ai_agent, category: llm}');
    assert.match(messages(other).join(), /its logsource is another/);
  });
});

describe('renamed rules', () => {
  const renamed = rule.replace(
    'name: a_rule',
    'name: new_name\nrelated:\n  - {id: a_rule, type: renamed}\n  - {id: x, type: similar}',
  );

  test('are still reached under their old names', () => {
    const spans = [{ fields: at('2026-01-01T00:00:00.000000000Z') }];
    assert.equal(findingsOf([renamed, suppression('')], spans).length, 0);
    const correlation =
      'title: C\nid: c\ncorrelation:\n  type: event_count\n  rules: [a_rule]\n  group-by: [a]\n  timespan: 1m\n  condition: {gte: 2}\n';
    const reading = readRules([renamed, correlation].map((text, index) => ({ path: `${index}.yml`, text })));
    assert.deepEqual(reading.errors, []);
    assert.equal(reading.correlations[0]!.members[0]!.source.meta.name, 'new_name');
    assert.deepEqual(reading.rules[0]!.meta.formerIds, ['a_rule']);
  });

  test('an old name belongs to one rule only', () => {
    const other = rule.replace('6f2f2a54', '7f2f2a54');
    const { errors } = readRules([renamed, other].map((text, index) => ({ path: `${index}.yml`, text })));
    assert.match(errors[0]!.message, /`a_rule` is already used/);
    assert.match(problems(rule.replace('name:', 'related: [a]\nname:'))[0]!, /takes an id and a type/);
  });
});
