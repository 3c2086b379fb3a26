import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CaseDecisions, type CaseDecisionsOptions } from './case-decisions.ts';
import { memoryFiles } from './export/testing/memory-files.ts';
import type { Case, CaseDecision } from './model/case.ts';
import { decodeCases } from './store/rows/cases.ts';
import { caseRow } from './store/testing/cases.ts';

const minute = 60_000_000n;
const start = 1_795_000_000_000_000n;

/** A ClickHouse of decisions, a spool of what was told, and a disk that outlives the collector. */
function setUp() {
  const disk = new Map<string, Buffer>();
  const told: string[] = [];
  const decided: Case[] = [];
  const state = { refuses: false };
  const open = (changes: Partial<CaseDecisionsOptions> = {}) =>
    new CaseDecisions({
      ...{ files: memoryFiles(disk), spoolId: 'a'.repeat(16), now: () => Number(start / 1000n), logger: { warn() {} } },
      log: {
        append: async ({ rows }) => {
          if (state.refuses) return { status: 'retryable', code: 'SW_SPOOL_FULL', reason: 'the spool is full' };
          for (const { decision } of decodeCases(Buffer.from(rows[0]!.bytes)))
            told.push(`${decision!.action} ${decision!.reason}`);
          return { status: 'ok' };
        },
      },
      // Two at once, so that there are pages.
      read: async ({ afterMicros }) => {
        const page = decided.filter(({ decision }) => decision!.atMicros > afterMicros).slice(0, 2);
        return {
          decided: page,
          decidedMicros: page.at(-1)?.decision?.atMicros ?? afterMicros,
          isFull: page.length === 2,
        };
      },
      ...changes,
    });
  const decide = (action: CaseDecision['action'], atMicros: bigint, reason: string) => {
    decided.push(caseRow('c1'.repeat(16), { decision: { action, atMicros, disposition: '', reason, by: 'jane' } }));
    decided.sort((a, b) => Number(a.decision!.atMicros - b.decision!.atMicros));
  };
  return { open, decide, told, state, disk };
}

test('each decision is told once, over pages and restarts, and those of before the first look are not', async () => {
  const { open, decide, told } = setUp();
  decide('close', start - minute, 'of before');
  let watch = open();
  await watch.look();
  for (const [index, reason] of ['a', 'b', 'c', 'd', 'e'].entries())
    decide('close', start + BigInt(index + 1) * minute, reason);
  await watch.look();
  await watch.look();
  assert.deepEqual(told, ['close a', 'close b', 'close c', 'close d', 'close e']);
  watch = open();
  await watch.look();
  decide('reopen', start + 30n * minute, 'f');
  await watch.look();
  await open().look();
  assert.deepEqual(told.slice(5), ['reopen f']);
});

test('a machine whose clock is some minutes behind is heard', async () => {
  const { open, decide, told } = setUp();
  const watch = open();
  decide('close', start + 20n * minute, 'right');
  await watch.look();
  decide('close', start + 15n * minute, 'behind');
  await watch.look();
  await watch.look();
  assert.deepEqual(told, ['close right', 'close behind']);
});

test('a stop waits for no ClickHouse that does not answer', async () => {
  const never = setUp().open({ read: () => new Promise(() => undefined) });
  never.start();
  await never.stop();
});

test('what the spool refuses is told later', async () => {
  const { open, decide, told, state } = setUp();
  const watch = open();
  await watch.look();
  decide('close', start + minute, 'a');
  state.refuses = true;
  await assert.rejects(watch.look(), /the spool is full/);
  state.refuses = false;
  await watch.look();
  assert.deepEqual(told, ['close a']);
});
