import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readRules } from '../load.ts';
import { matches, ruleWith } from '../testing/plain-events.ts';

const selections = 'a:\n  a: 1\nb:\n  b: 1\nc:\n  c: 1\n_d:\n  d: 1\n';
const holds = (condition: string, ...names: string[]) =>
  matches(`${selections}condition: ${condition}`, Object.fromEntries(names.map((name) => [name, 1])));
const problemOf = (condition: string) => {
  const { errors } = readRules([{ path: 'r.yml', text: ruleWith(`${selections}condition: ${condition}`) }]);
  return errors[0];
};

describe('conditions', () => {
  test('or binds loosest, then and, then not', () => {
    assert.equal(holds('a or b and c', 'a'), true);
    assert.equal(holds('(a or b) and c', 'a'), false);
    assert.equal(holds('not a and b', 'b'), true);
    assert.equal(holds('not (a and b)', 'a'), true);
    assert.equal(holds('not a or b', 'a', 'b'), true);
    assert.equal(holds('not not a', 'a'), true);
    assert.equal(holds('a and b or not c and a', 'a'), true);
  });

  test('quantifiers and patterns', () => {
    assert.equal(holds('1 of them', 'c'), true);
    assert.equal(holds('any of them', 'd'), false);
    assert.equal(holds('1 of _*', 'd'), true);
    assert.equal(holds('all of them', 'a', 'b', 'c'), true);
    assert.equal(holds('all of them', 'a', 'b'), false);
    assert.equal(holds('2 of *', 'a', 'c'), true);
    assert.equal(holds('not 1 of them', 'd'), true);
  });

  test('a list of conditions is OR-linked', () => {
    assert.equal(matches(`${selections}condition:\n  - a and b\n  - c`, { c: 1 }), true);
    assert.equal(matches(`${selections}condition:\n  - a and b\n  - c`, { a: 1 }), false);
  });

  test('errors name the word, its place and what to write', () => {
    const cases: [string, RegExp, number?][] = [
      ['a and bb', /`bb` is not defined/, 20],
      ['a AND b', /`AND` is not expected/],
      ['NOT a', /must be lower case/],
      ['a b', /`b` is not expected/, 16],
      ['a and', /ends too early/],
      ['(a or b', /`\)` is missing/],
      ['a or )', /`\)` is not expected/],
      ['a*', /needs a quantifier/],
      ['1 of x*', /matches no identifier/],
      ['0 of them', /no quantifier/],
      ['9 of them', /matches only 3/],
      ['1 of', /needs `them` or a pattern/],
      ["'a & b'", /no place in a condition/],
      ["''", /empty/],
      ['a | count() > 5', /not part of Sigma/],
      [`${'('.repeat(70)}a${')'.repeat(70)}`, /nested deeper/],
      [`${'not '.repeat(70)}a`, /nested deeper/],
      [`'${'a or '.repeat(900)}a'`, /longer than/],
    ];
    for (const [condition, message, column] of cases) {
      const problem = problemOf(condition);
      assert.match(problem?.message ?? '', message, condition);
      assert.equal(problem?.position?.file, 'r.yml');
      if (column !== undefined) assert.equal(problem?.position?.column, column, condition);
    }
  });

  test('an aggregation names the correlation to write', () => {
    assert.match(problemOf('a | count() > 5')?.advice ?? '', /event_count/);
    assert.match(problemOf('a | count(user) by ip > 5')?.advice ?? '', /value_count/);
    assert.match(problemOf('a | near b')?.advice ?? '', /temporal/);
  });

  test('an identifier that no condition uses is a warning', () => {
    const { warnings } = readRules([{ path: 'r.yml', text: ruleWith(`${selections}condition: a and b`) }]);
    assert.deepEqual(
      warnings.filter(({ message }) => message.includes('no condition uses')).map(({ message }) => message.slice(-4)),
      ['`c`'.padStart(4), '`_d`'].map((name) => name.slice(-4)),
    );
  });
});
