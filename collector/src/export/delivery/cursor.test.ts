import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Disk, memoryFiles } from '../testing/memory-files.ts';
import { TestClock } from '../testing/test-clock.ts';
import { cursorFile, decodeCursor, encodeCursor } from './cursor.ts';
import { CursorKeeper } from './cursor-keeper.ts';

const cursor = { position: 12, ahead: ['a-1', 'b-2'], overflowed: 3 };

/** What was logged as an error. */
async function opened(disk: Disk, from: 'now' | 'oldest', head = 20) {
  const errors: string[] = [];
  const logger = {
    info: () => undefined,
    warn: () => undefined,
    error: (_: object, text: string) => void errors.push(text),
  };
  const keeper = await CursorKeeper.open({
    name: 'siem',
    files: memoryFiles(disk),
    head,
    from,
    clock: new TestClock(),
    logger,
  });
  return { keeper, errors, aside: [...disk.keys()].filter((name) => name !== cursorFile) };
}

test('a cursor comes back as it was', () => {
  assert.deepEqual(decodeCursor(encodeCursor(cursor)), cursor);
});

test('any change of the bytes is noticed, and no bytes do anything else', () => {
  const bytes = encodeCursor(cursor);
  for (let index = 0; index < bytes.length - 1; index++) {
    const damaged = Buffer.from(bytes);
    damaged[index] = damaged[index]! ^ 1;
    assert.equal(typeof decodeCursor(damaged), 'string', `byte ${index}`);
    assert.equal(typeof decodeCursor(bytes.subarray(0, index)), 'string', `cut at ${index}`);
  }
  fc.assert(fc.property(fc.uint8Array(), (any) => typeof decodeCursor(Buffer.from(any)) === 'string'));
  fc.assert(fc.property(fc.json(), (any) => typeof decodeCursor(Buffer.from(any)) === 'string'));
});

test('a new destination begins now, or with the oldest, and its cursor is on disk before anything is sent', async () => {
  for (const [from, position] of [
    ['now', 20],
    ['oldest', -1],
  ] as const) {
    const disk: Disk = new Map();
    const { keeper, errors } = await opened(disk, from);
    assert.equal(keeper.ledger.through, position);
    assert.deepEqual(decodeCursor(disk.get(cursorFile)!), { position, ahead: [], overflowed: 0 });
    assert.deepEqual(errors, []);
  }
});

test('a destination goes on where its cursor stands', async () => {
  const { keeper, errors } = await opened(new Map([[cursorFile, encodeCursor(cursor)]]), 'now');
  assert.deepEqual([keeper.ledger.position, keeper.overflowed, errors], [12, 3, []]);
  assert.deepEqual([keeper.isSettled('b-2'), keeper.isSettled('c-3')], [true, false]);
});

test('a damaged cursor is loud, set aside and followed by a new one', async () => {
  for (const [from, position, said] of [
    ['now', 20, /with what comes in from now on/],
    ['oldest', -1, /at the oldest event/],
  ] as const) {
    const disk: Disk = new Map([[cursorFile, Buffer.from('{"position":3}')]]);
    const { keeper, errors, aside } = await opened(disk, from);
    assert.equal(keeper.ledger.position, position);
    assert.match(errors[0] ?? '', said);
    assert.deepEqual(aside, ['cursor.2026-01-01T000000000Z.damaged']);
    assert.equal(disk.get(aside[0]!)!.toString(), '{"position":3}');
    assert.ok(typeof decodeCursor(disk.get(cursorFile)!) === 'object');
  }
});

test('a cursor further than the stream is of another spool: nothing new may be taken for sent', async () => {
  const { keeper, errors, aside } = await opened(
    new Map([[cursorFile, encodeCursor({ ...cursor, position: 21 })]]),
    'now',
  );
  assert.equal(keeper.ledger.position, 20);
  assert.match(errors[0] ?? '', /of another spool/);
  assert.equal(aside.length, 1);
});

test('a disk that refuses is told once, and written when it is there again', async () => {
  const disk: Disk = new Map();
  const files = memoryFiles(disk);
  const clock = new TestClock();
  const warnings: string[] = [];
  const logger = {
    info: () => undefined,
    error: () => undefined,
    warn: (_: object, text: string) => void warnings.push(text),
  };
  let isFull = false;
  const keeper = await CursorKeeper.open({
    ...{ name: 'siem', head: 5, from: 'now', clock, logger },
    files: {
      ...files,
      replace: (name, content) => (isFull ? Promise.reject(new Error('ENOSPC')) : files.replace(name, content)),
    },
  });
  isFull = true;
  keeper.ledger.pass(9);
  keeper.changed();
  for (let times = 0; times < 5; times++) await clock.step();
  assert.equal(warnings.length, 1);
  isFull = false;
  await clock.until(() => (decodeCursor(disk.get(cursorFile)!) as { position: number }).position === 9);
});
