import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Disk, memoryFiles } from '../testing/memory-files.ts';
import { type DeadLetter, DeadLetters, deadLetterFile, parseDeadLetters } from './dead-letters.ts';

function letter(id: string, reason = 'no'): DeadLetter {
  return { id, kind: 'finding', of: id.split('-')[0]!, position: 4, reason, time: '2026-11-22T10:00:00.000Z' };
}

const time = '2026-11-22T11:00:00.000Z';
const idsIn = (disk: Disk): string[] =>
  parseDeadLetters(disk.get(deadLetterFile) ?? Buffer.alloc(0)).letters.map(({ id }) => id);

test('letters stay until they are settled, and the last word on one counts', async () => {
  const disk: Disk = new Map();
  const letters = await DeadLetters.open(memoryFiles(disk));
  assert.equal(await letters.add([letter('a-1'), letter('b-1')]), 0);
  await letters.settle(['a-1', 'unknown'], time);
  await letters.add([letter('c-1'), letter('b-1', 'still no')]);
  assert.deepEqual(idsIn(disk), ['c-1', 'b-1']);
  assert.equal(parseDeadLetters(disk.get(deadLetterFile)!).letters[1]?.reason, 'still no');
});

test('a line that a crash tore is left alone, and swallows no other', async () => {
  const disk: Disk = new Map([[deadLetterFile, Buffer.from(`${JSON.stringify(letter('a-1'))}\n{"id":"to`)]]);
  const letters = await DeadLetters.open(memoryFiles(disk));
  await letters.add([letter('b-1')]);
  const { unreadable } = parseDeadLetters(disk.get(deadLetterFile)!);
  assert.deepEqual([idsIn(disk), unreadable], [['a-1', 'b-1'], 1]);
});

test('a full file takes no more, says how many, and has room again once letters are settled', async () => {
  const disk: Disk = new Map();
  const bytesMax = 3 * Buffer.byteLength(`${JSON.stringify(letter('a-1'))}\n`);
  const letters = await DeadLetters.open(memoryFiles(disk), { bytesMax, mayCompact: true });
  assert.equal(await letters.add(['a-1', 'a-2', 'a-3', 'a-4', 'a-5'].map((id) => letter(id))), 2);
  assert.equal(letters.count, 3);
  await letters.settle(['a-1', 'a-2'], time);
  assert.equal(await letters.add([letter('b-1')]), 0);
  assert.deepEqual(idsIn(disk), ['a-3', 'b-1']);
  assert.ok(disk.get(deadLetterFile)!.length <= bytesMax);
});

test('no bytes do anything but be letters or not', () => {
  const line = fc.oneof(
    fc.json(),
    fc.string(),
    fc.constant(JSON.stringify(letter('a-1'))),
    fc.constant('{"settled":["a-1"]}'),
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const { letters } = parseDeadLetters(Buffer.from(lines.join('\n')));
      assert.ok(letters.every(({ id, kind }) => typeof id === 'string' && ['finding', 'case'].includes(kind)));
    }),
  );
});
