import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isClean, runChaos } from './chaos/chaos.ts';

test('what was acknowledged is stored exactly once, and so are its findings, whatever fails', async () => {
  const report = await runChaos({ seconds: 40, seed: Date.now() % 1_000_000 });
  assert.ok(report.acknowledged > 500, `only ${report.acknowledged} spans were acknowledged`);
  assert.ok(report.regrouped > 0, 'no span came again in another batch');
  assert.ok(isClean(report), JSON.stringify(report));
});
