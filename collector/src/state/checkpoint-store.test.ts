import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { watchedFiles } from '../spool/testing/watched-files.ts';
import { type Checkpoint, decodeCheckpoint, encodeHeader, encodeSectionHead } from './checkpoint-format.ts';
import { CheckpointStore } from './checkpoint-store.ts';

function checkpoint(number: number): Checkpoint {
  return { number, segment: number * 10, timeMs: 5, sections: [Buffer.from(`state ${number}`), Buffer.alloc(0)] };
}

function encodeCheckpoint({ sections, ...head }: Checkpoint): Uint8Array[] {
  const bodies = sections.flatMap((section) => [encodeSectionHead(section), section]);
  return [encodeHeader({ ...head, sections: sections.length }), ...bodies];
}

async function write(store: CheckpointStore, { sections, ...head }: Checkpoint): Promise<void> {
  const writer = await store.begin(head.number);
  for (const section of sections) await writer.add(section);
  await writer.finish(head);
}

async function directoryFor(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'spanwarden-state-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return join(directory, 'state');
}

async function written(directory: string, numbers: readonly number[]): Promise<CheckpointStore> {
  const store = new CheckpointStore(directory);
  await store.load(() => true);
  for (const number of numbers) await write(store, checkpoint(number));
  return store;
}

/** What a start finds, and what it says. */
async function loaded(directory: string, take = (_: Checkpoint) => true) {
  const lines: string[] = [];
  const log = (_: object, message: string) => void lines.push(message);
  const store = new CheckpointStore(directory, { info: log, warn: log, error: log });
  const found = await store.load(take);
  return { store, number: found?.number, text: found && String(found.sections[0]), lines };
}

async function nameOf(directory: string, number: number): Promise<string> {
  const names = await readdir(directory);
  return join(directory, names.find((name) => name.includes(`${number}.state`))!);
}

test('the newest comes back; the one before is kept, with the segments it needs', async (t) => {
  const directory = await directoryFor(t);
  assert.equal((await loaded(directory)).number, undefined);
  const store = await written(directory, [1]);
  assert.equal(store.neededSegment, 0, 'with one alone, all journals there are');
  await write(store, checkpoint(2));
  await write(store, checkpoint(3));
  assert.equal(store.neededSegment, 20);
  assert.equal((await readdir(directory)).length, 2);
  const { number, text, lines, store: again } = await loaded(directory);
  assert.deepEqual([number, text, lines], [3, 'state 3', []]);
  assert.equal(again.neededSegment, 20);
});

test('a torn, damaged or newer one is set aside loudly, and the older one is taken', async (t) => {
  for (const harm of [
    (bytes: Buffer) => bytes.subarray(0, bytes.length - 3),
    (bytes: Buffer) => bytes.subarray(0, 20),
    (bytes: Buffer) => Buffer.concat([bytes, Buffer.of(0)]),
    (bytes: Buffer) => Buffer.from(bytes.map((byte, at) => (at === 60 ? byte ^ 1 : byte))),
    () => Buffer.alloc(0),
    () => encodedAs(2),
  ]) {
    const directory = await directoryFor(t);
    await written(directory, [1, 2]);
    const newest = await nameOf(directory, 2);
    await writeFile(newest, harm(await readFile(newest)));
    const { number, lines, store } = await loaded(directory);
    assert.equal(number, 1);
    assert.equal(store.setAside, 1);
    assert.match(lines.join(), /moved to quarantine/);
    assert.equal((await readdir(join(directory, 'quarantine'))).length, 1);
    await write(store, checkpoint(3));
    assert.equal((await loaded(directory)).number, 3);
  }
});

test('a whole file whose content the taker refuses is set aside too; a write that was cut short leaves nothing', async (t) => {
  const directory = await directoryFor(t);
  await written(directory, [1, 2]);
  await writeFile(join(directory, 'checkpoint-0000000000000009.state.tmp'), 'half');
  const { number, store } = await loaded(directory, ({ number: each }) => each === 1);
  assert.deepEqual([number, store.setAside], [1, 1]);
  assert.deepEqual((await readdir(directory)).sort(), ['checkpoint-0000000000000001.state', 'quarantine']);
});

test('what is given up, or cut short by a crash, is no checkpoint and leaves nothing behind', async (t) => {
  const directory = await directoryFor(t);
  const store = await written(directory, [1]);
  const givenUp = await store.begin(2);
  await givenUp.add(Buffer.from('a'));
  await givenUp.abandon();
  assert.deepEqual(await readdir(directory), ['checkpoint-0000000000000001.state']);
  const cut = await store.begin(3);
  await cut.add(Buffer.from('a'));
  const { number, lines } = await loaded(directory);
  assert.deepEqual([number, lines], [1, []]);
  assert.deepEqual(await readdir(directory), ['checkpoint-0000000000000001.state']);
  await cut.abandon();
});

test('any bytes are a checkpoint or damaged', () => {
  const whole = Buffer.concat(encodeCheckpoint(checkpoint(7)));
  const reading = decodeCheckpoint(whole);
  assert.deepEqual(reading.status === 'ok' && reading.checkpoint, checkpoint(7));
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
      const flipped = Buffer.from(whole);
      flipped[at]! ^= mask;
      assert.notEqual(decodeCheckpoint(flipped).status, 'ok');
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => assert.notEqual(decodeCheckpoint(Buffer.from(bytes)).status, 'ok')),
  );
});

/** An intact header of another version. */
function encodedAs(version: number): Buffer {
  const bytes = Buffer.concat(encodeCheckpoint(checkpoint(2)));
  bytes.writeUInt16LE(version, 8);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 44)), 44);
  return bytes;
}

test('a large checkpoint goes to the disk while it is written', async (t) => {
  const operations: string[] = [];
  const store = new CheckpointStore(
    await directoryFor(t),
    undefined,
    watchedFiles((operation) => operations.push(operation)),
  );
  await store.load(() => true);
  const writer = await store.begin(1);
  for (let section = 0; section < 8; section++) await writer.add(Buffer.alloc(512 * 1024));
  assert.equal(operations.filter((operation) => operation === 'sync').length, 4);
  await writer.finish({ segment: 1, timeMs: 1 });
  assert.deepEqual(operations.slice(-3), ['write', 'sync', 'syncDirectory']);
});
