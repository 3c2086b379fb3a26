import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { limits } from '../model/limits.ts';
import { chunksOf, JournalLog } from './journal-log.ts';
import { replayJournals } from './replay.ts';

const piece = (text: string) => Buffer.from(text);

/** Records with these journals, through the replay. */
async function replayed(journals: readonly Uint8Array[], after = 0, refuses?: string) {
  const taken: string[] = [];
  const records = (async function* () {
    for (const [index, bytes] of journals.entries()) yield { segment: index + 1, bytes };
  })();
  const outcome = await replayJournals(records, after, (bytes) => {
    if (String(bytes) === refuses) throw new SyntaxError('damaged');
    taken.push(String(bytes));
  });
  return { taken, ...outcome };
}

function records(log: JournalLog, texts: readonly string[]): Uint8Array[] {
  return texts.map((text) => {
    log.add(piece(text));
    return log.outgoing().bytes;
  });
}

describe('the journal', () => {
  test('what was refused goes with the next record, and only what landed counts as stored', () => {
    const log = new JournalLog(7, 3);
    log.add(piece('a'));
    const first = log.outgoing();
    log.add(piece('b'));
    const second = log.outgoing();
    assert.deepEqual([first.numbers, second.numbers], [[8], [9]]);
    log.landed(second, 4);
    assert.deepEqual([log.stored, log.last, log.segment], [7, 9, 4]);
    log.refused(first);
    log.add(piece('c'));
    log.add(Buffer.of());
    const third = log.outgoing();
    assert.deepEqual(third.numbers, [8, 10]);
    log.landed(third, 4);
    assert.deepEqual([log.stored, log.last], [10, 10]);
    assert.deepEqual(
      [...chunksOf(third.bytes)].map(({ number, bytes }) => `${number} ${Buffer.from(bytes)}`),
      ['8 a', '10 c'],
    );
  });

  test('comes back in the order of its numbers, after the checkpoint', async () => {
    const [a, b, c] = records(new JournalLog(), ['a', 'b', 'c']) as [Uint8Array, Uint8Array, Uint8Array];
    const { taken, missing, last, segment } = await replayed([a, c, b], 1);
    assert.deepEqual({ taken, missing, last, segment }, { taken: ['b', 'c'], missing: 0, last: 3, segment: 3 });
  });

  test('goes on without what is missing or cannot be taken in, and counts it', async () => {
    const [a, b, c, d] = records(new JournalLog(), ['a', 'b', 'c', 'd']);
    const { taken, missing, failed } = await replayed([a!, c!, d!], 0, 'd');
    assert.deepEqual({ taken, missing, failed }, { taken: ['a', 'c'], missing: 1, failed: 1 });
    assert.deepEqual((await replayed([c!, d!, b!])).taken, ['c', 'd'], 'the first that is there is the beginning');
  });

  test('does not hold back more than it may', async () => {
    const all = records(
      new JournalLog(),
      Array.from({ length: limits.journalHeldMax + 10 }, (_, at) => String(at)),
    );
    const { taken, missing } = await replayed([all[0]!, ...all.slice(2)]);
    assert.deepEqual([taken.length, missing], [all.length - 1, 1]);
  });

  test('bytes that make no sense end a record, not the replay', async () => {
    const [a, b] = records(new JournalLog(), ['a', 'b']);
    const cut = Buffer.concat([a!, Buffer.alloc(12, 255), piece('x')]);
    assert.deepEqual((await replayed([cut, b!])).taken, ['a', 'b']);
  });
});
