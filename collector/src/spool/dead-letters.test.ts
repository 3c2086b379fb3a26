import assert from 'node:assert/strict';
import { readdir, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RefusedRows } from '../model/spool.ts';
import { listDeadLetters, readDeadLetter, removeDeadLetter } from './dead-letters.ts';
import { nodeFiles } from './files.ts';
import { openSpool } from './spool.ts';
import { drain, numberedBatch } from './testing/records.ts';
import { openedSpool, quietOptions } from './testing/temporary.ts';

const never = new AbortController().signal;
const refused: RefusedRows = {
  table: 'otel_traces',
  columns: 31,
  rows: 1,
  firstRow: 7,
  bytes: Buffer.from('no row'),
  reason: 'code 27: cannot parse',
};

test('refused rows are set aside with their reasons, the segment counts as sent, and the rest goes on', async (t) => {
  const { spool, directory } = await openedSpool(t);
  await spool.append(numberedBatch(1));
  await spool.seal();
  await spool.append(numberedBatch(2));
  const segment = (await spool.next(never))!;
  const second: RefusedRows = { ...refused, table: 'findings', columns: 0, rows: 3, bytes: Buffer.from('nor this') };
  await spool.deadLetter(segment, [refused, second]);
  assert.deepEqual(await drain(spool), [2]);
  assert.equal((await readdir(directory)).filter((name) => name.endsWith('.sent')).length, 2);
  assert.ok(spool.stats().setAsideBytes > 0);
  assert.deepEqual([spool.stats().deadLetteredSegments, spool.stats().deadLetteredRows], [1, 4]);

  const place = { files: nodeFiles, directory };
  const { letters, unreadable } = await listDeadLetters(place);
  assert.deepEqual([letters.length, letters[0]!.segment, unreadable], [1, segment.id, []]);
  assert.deepEqual(await readDeadLetter(place, letters[0]!), [refused, second]);
  await writeFile(join(directory, 'dead-letter', 'note.reason.json'), '{"segment":"../../x","time":"","refused":[]}');
  assert.deepEqual((await listDeadLetters(place)).unreadable, ['note.reason.json']);
  await removeDeadLetter(place, segment.id);
  assert.deepEqual((await listDeadLetters(place)).letters, []);
});

test('a segment whose refused rows cannot be set aside is offered again at the next start', async (t) => {
  const { spool, directory } = await openedSpool(t);
  await spool.append(numberedBatch(1));
  await spool.seal();
  await writeFile(join(directory, 'dead-letter'), 'no directory');
  await spool.deadLetter((await spool.next(never))!, [refused]);
  await spool.close();
  await unlink(join(directory, 'dead-letter'));
  const again = await openSpool(quietOptions(directory));
  assert.deepEqual(await drain(again), [1]);
  await again.close();
});

test('columns of rows are noted, so that rows from before an update can be told', async (t) => {
  const { spool, directory } = await openedSpool(t, { columns: { otel_traces: 31 } });
  await spool.append(numberedBatch(1));
  await spool.close();
  const again = await openSpool(quietOptions(directory, { columns: { otel_traces: 32, findings: 9 } }));
  await again.append(numberedBatch(2));
  await again.seal();
  const widths: number[][] = [];
  for (let left = 2; left > 0; left--) {
    const segment = (await again.next(never))!;
    widths.push(segment.tables.map(({ columns }) => columns));
    await again.sent(segment);
  }
  assert.deepEqual(widths, [
    [31, 0],
    [32, 9],
  ]);
  await again.close();
});
