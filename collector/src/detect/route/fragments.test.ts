import assert from 'node:assert/strict';
import { test } from 'node:test';
import { valueJson } from '../../model/value.ts';
import { fragmentOf } from './fragments.ts';

test('the rarest piece is taken that JSON writes in one way only', () => {
  for (const [literal, text] of [
    ['ignore all', 'ignore'],
    ['you are now', 'you'],
    ['content polic', 'polic'],
    ['say "abc"', 'abc'],
    ['{"key": "value"}', 'value'],
    ['c:\\windows', 'windows'],
    ['<|im_start|>', '<|im_start|>'],
    ['x1000', 'x1000'],
    ['100 usd', 'usd'],
  ]) {
    const fragment = fragmentOf(literal!)!;
    assert.equal(fragment.text, text, literal);
    assert.equal(fragment.before + fragment.text + fragment.behind, literal);
  }
});

test('nothing is told of what JSON may say in place of something else, and of what stands everywhere', () => {
  for (const json of ['1e3', '-1e999', '1.00e2', '0.1e3', '[64.0, 61.0]']) {
    const text = valueJson(JSON.parse(json)).toLowerCase().replaceAll('"', '');
    assert.ok(!json.includes(text), text);
    assert.equal(fragmentOf(text), undefined, text);
  }
  for (const literal of ['no', 'a b c', '', ' ', '"', 'null', 'finit', '1e3', '+1-2.5']) {
    assert.equal(fragmentOf(literal), undefined, literal);
  }
});
