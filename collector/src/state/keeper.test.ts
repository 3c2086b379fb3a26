import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { limits } from '../model/limits.ts';
import { CheckpointStore } from './checkpoint-store.ts';
import { JournalLog } from './journal-log.ts';
import { type KeptSlices, StateKeeper } from './keeper.ts';

/** A keeper whose clock, spool and journal the test holds in its hands. */
async function setup(t: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), 'spanwarden-keeper-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const store = new CheckpointStore(directory);
  await store.load(() => true);
  const journal = new JournalLog();
  const state = {
    nowMs: 0,
    isFull: false,
    keptBytes: 0,
    from: -1,
    pieces: ['all'],
    isCut: false,
    rests: 0,
    atRest: () => {},
    /** What making one piece takes. */
    pieceMs: 0,
    said: [] as string[],
  };
  const storeJournal = async () => {
    const outgoing = journal.outgoing();
    if (state.isFull) journal.refused(outgoing);
    else journal.landed(outgoing, 1);
  };
  const segments = {
    keepFrom: (segment: number) => {
      state.from = segment;
    },
    stats: () => ({ journalKeptBytes: state.keptBytes }),
  };
  const keeper = new StateKeeper(
    {
      ...{ journal, store, segments, storeJournal, intervalMs: 1000, segmentBytesMax: 500, now: () => state.nowMs },
      kept: { slices: () => slicesOf(state) },
      turnMs: 0,
      logger: { info: (_, message) => state.said.push(message), warn: () => {}, error: () => {} },
      rest: async () => {
        state.rests++;
        state.atRest();
      },
    },
    { number: 0, timeMs: 0 },
  );
  const files = async () => (await readdir(directory)).length;
  return { keeper, journal, state, files, directory };
}

interface SlicedState {
  readonly pieces: readonly string[];
  readonly isCut: boolean;
  readonly pieceMs: number;
}

function slicesOf(state: SlicedState): KeptSlices {
  const left = [...state.pieces];
  let isCancelled = false;
  return {
    next: () => {
      const piece = isCancelled ? undefined : left.shift();
      for (const until = performance.now() + state.pieceMs; performance.now() < until; );
      return piece === undefined ? undefined : Buffer.from(piece);
    },
    cancel: () => {
      isCancelled ||= left.length > 0;
    },
    get isCut() {
      return state.isCut || isCancelled;
    },
  };
}

test('a checkpoint is due by time when anything came, by much journal, and by segments kept for it', async (t) => {
  const { keeper, journal, state } = await setup(t);
  const taken = async () => {
    await keeper.tick();
    return keeper.stats().checkpoints;
  };
  state.nowMs += 5000;
  assert.equal(await taken(), 0, 'nothing came');
  journal.add(Buffer.from('a'));
  assert.equal(await taken(), 1);
  journal.add(Buffer.from('b'));
  state.nowMs += 999;
  assert.equal(await taken(), 1, 'not yet');
  state.nowMs += 1;
  assert.equal(await taken(), 2);
  journal.add(Buffer.alloc(limits.checkpointJournalBytesMax));
  state.nowMs += 500;
  assert.equal(await taken(), 3);
  journal.add(Buffer.from('c'));
  state.keptBytes = 500;
  state.nowMs += 500;
  assert.equal(await taken(), 4);
});

test('what is not on disk is in no checkpoint, and the segments stay', async (t) => {
  const { keeper, journal, state, files } = await setup(t);
  state.isFull = true;
  journal.add(Buffer.from('a'));
  assert.equal(await keeper.checkpoint(), false);
  assert.deepEqual([await files(), state.from, keeper.stats().failed], [0, -1, 1]);
  state.isFull = false;
  assert.equal(await keeper.checkpoint(), true);
  assert.equal(await files(), 1);
});

test('the end leaves a checkpoint of everything, once', async (t) => {
  const { keeper, journal, files } = await setup(t);
  await keeper.close();
  assert.equal(await files(), 0, 'nothing came');
  journal.add(Buffer.from('a'));
  await keeper.close();
  await keeper.close();
  assert.equal(keeper.stats().checkpoints, 1);
});

test('a large state is written in turns, and what comes meanwhile is not in it', async (t) => {
  const { keeper, journal, state, directory } = await setup(t);
  state.pieces = ['o', 'n', 'e'];
  journal.add(Buffer.from('a'));
  state.atRest = () => journal.add(Buffer.from('b'));
  assert.equal(await keeper.checkpoint(), true);
  assert.equal(state.rests, 3);
  const found = await new CheckpointStore(directory).load(() => true);
  assert.deepEqual([found?.number, Buffer.concat(found!.sections).toString()], [1, 'one']);
  const { pauseMs, workMs } = keeper.stats();
  assert.ok(workMs > pauseMs);
});

test('a state that is exchanged meanwhile gives no checkpoint and no failure', async (t) => {
  const { keeper, journal, state, files } = await setup(t);
  state.pieces = ['o', 'n', 'e'];
  state.atRest = () => {
    state.isCut = true;
  };
  journal.add(Buffer.from('a'));
  assert.equal(await keeper.checkpoint(), false);
  assert.deepEqual([keeper.stats().failed, await files()], [0, 0]);
});

test('the end does not wait for a checkpoint that is under way, but takes its own', async (t) => {
  const { keeper, journal, state, directory } = await setup(t);
  state.pieces = ['o', 'n', 'e'];
  journal.add(Buffer.from('a'));
  let closed: Promise<void> | undefined;
  state.atRest = () => {
    closed ??= keeper.close();
  };
  assert.equal(await keeper.checkpoint(), false);
  await closed;
  assert.deepEqual([keeper.stats().checkpoints, state.rests], [1, 1]);
  const found = await new CheckpointStore(directory).load(() => true);
  assert.equal(Buffer.concat(found!.sections).toString(), 'one');
});

test('a stop goes without a checkpoint that would not be there in time, and the journals are kept', async (t) => {
  const { keeper, journal, state, files, directory } = await setup(t);
  journal.add(Buffer.from('a'));
  assert.equal(await keeper.checkpoint(), true);
  state.from = -1;
  // A state that would take more than a minute to write.
  state.pieces = Array.from({ length: 10_000 }, () => 'x');
  state.pieceMs = 7;
  journal.add(Buffer.from('b'));
  const from = performance.now();
  await keeper.close(100);
  assert.ok(performance.now() - from < 5_000);
  assert.equal(journal.stored, journal.last, 'the journal is on disk');
  assert.deepEqual([keeper.stats().checkpoints, keeper.stats().failed, state.from, await files()], [1, 0, -1, 1]);
  assert.deepEqual(state.said, ['state: no checkpoint in the time of a stop; the next start replays the journals']);
  const found = await new CheckpointStore(directory).load(() => true);
  assert.equal(found?.number, 1, 'the one before');
});

test('a stop does not begin a checkpoint when the last one took longer than there is', async (t) => {
  const { keeper, journal, state } = await setup(t);
  state.pieceMs = 60;
  journal.add(Buffer.from('a'));
  await keeper.checkpoint();
  journal.add(Buffer.from('b'));
  state.pieces = [];
  await keeper.close(20);
  assert.equal(keeper.stats().checkpoints, 1);
  assert.equal(state.said.length, 1);
});
