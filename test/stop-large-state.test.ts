import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isInOrder, runLargeState } from './chaos/large-state.ts';

test('a stop under load with hundreds of thousands of groups on a slow disk is in time and in order, and nothing is lost or there twice', async () => {
  // Its checkpoint would take the disk more than ten seconds.
  const report = await runLargeState({ orders: 61_440, correlations: 5, stops: 1, diskBytesPerSecond: 1_200_000 });
  const seen = JSON.stringify(report);
  assert.equal(report.groups, 5 * 61_440, seen);
  assert.ok(report.stops[0]!.refused > 0, `there was load: ${seen}`);
  assert.ok(report.replayed > 0, `the stop went without a checkpoint: ${seen}`);
  assert.ok(isInOrder(report), seen);
});
