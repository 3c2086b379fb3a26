import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../config/load.ts';
import { stateBounds } from '../detect/state-bounds.ts';
import { limits } from '../model/limits.ts';
import { memoryBytes } from './config.ts';
import { memoryPlan } from './plan.ts';

const load = (text: string) => loadConfig({ file: 'test.yaml', text, env: {} });

test('the shares of any limit leave room for what is not in them, and hold the largest body', () => {
  for (const text of ['384MiB', '512MiB', '1 GiB', '64GiB']) {
    const plan = memoryPlan(memoryBytes(text));
    const { limitBytes, heapBytesMax, requestsBytesMax, spoolPendingBytesMax } = plan;
    assert.ok(heapBytesMax + requestsBytesMax + spoolPendingBytesMax < limitBytes, text);
    assert.ok(plan.bodyBytesMax <= requestsBytesMax && plan.jsonBytesMax <= plan.bodyBytesMax, text);
    assert.ok(plan.stateShare > 0 && plan.stateShare <= 1, text);
  }
});

test('the shares are those of docs/operations.md', () => {
  const sharesOf = (text: string) => {
    const { limitBytes, jsonValuesMax, stateShare, ...bytes } = memoryPlan(memoryBytes(text));
    const mebibytes = Object.entries(bytes).map(([name, value]) => [name, Math.floor(value / 1024 / 1024)]);
    return { ...Object.fromEntries(mebibytes), jsonValuesMax, stateShare };
  };
  assert.deepEqual(sharesOf('512MiB'), {
    ...{ heapBytesMax: 320, requestsBytesMax: 85, bodyBytesMax: 64, jsonBytesMax: 32, connectionBytesMax: 32 },
    ...{ spoolPendingBytesMax: 64, jsonValuesMax: 2_097_152, stateShare: 1 / 4 },
  });
  assert.deepEqual(sharesOf('384MiB'), {
    ...{ heapBytesMax: 192, requestsBytesMax: 64, bodyBytesMax: 48, jsonBytesMax: 24, connectionBytesMax: 24 },
    ...{ spoolPendingBytesMax: 48, jsonValuesMax: 1_572_864, stateShare: 3 / 16 },
  });
  assert.deepEqual(sharesOf('64GiB'), {
    ...{ heapBytesMax: 40_960, requestsBytesMax: 512, bodyBytesMax: 64, jsonBytesMax: 64, connectionBytesMax: 4096 },
    ...{ spoolPendingBytesMax: 64, jsonValuesMax: 8_388_608, stateShare: 1 },
  });
});

test('what is remembered shrinks with the limit, and is never more than limits.ts says', () => {
  const small = stateBounds(memoryPlan(memoryBytes('512MiB')).stateShare);
  assert.equal(small.ancestry.bytesMax, limits.ancestryBytesMax / 4);
  assert.equal(small.cases.tiesMax, limits.caseTiesMax / 4);
  assert.equal(stateBounds(memoryPlan(memoryBytes('64GiB')).stateShare).ancestry.bytesMax, limits.ancestryBytesMax);
});

test('a limit that is too small, or none, stops the start; so does what does not fit into it', () => {
  assert.equal(load('').limits.memory, '512MiB');
  assert.throws(() => load('limits: { memory: 256MiB }'), /must be at least 384MiB/);
  assert.throws(() => load('limits: { memory: 512 }'), /limits.memory/);
  assert.throws(() => load('limits: { memory: 512MB }'), /must be a number with MiB or GiB/);
  const large = 'spool: { segment_bytes_max: 134217728 }';
  assert.throws(
    () => load(large),
    /limits.memory of 512MiB is too small for spool.segment_bytes_max of 134217728.*set limits.memory to 1024MiB/,
  );
  assert.equal(load(`limits: { memory: 1GiB }\n${large}`).spool.segment_bytes_max, 134217728);
});
