import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadRules } from '../collector/src/detect/load.ts';
import { makeBodies } from './spans.ts';
import { measureStages, rulesTimes } from './stages.ts';

test('the bench loads as many rules as it says, and every stage runs', () => {
  assert.equal(loadRules(rulesTimes(150)).rules.length, 150);
  const figures = measureStages(makeBodies(3_000, 1, 4), 0);
  assert.equal(figures.length, 8);
});
