import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { nodeFiles } from './files.ts';

const folder = mkdtempSync(join(tmpdir(), 'spanwarden-files-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('files that go away while a folder is listed are left out, and those that stay are named', async () => {
  writeFileSync(join(folder, 'stays'), 'x');
  let vanished = 0;
  for (let round = 0; round < 30; round++) {
    const names = Array.from({ length: 60 }, (_, index) => `goes-${index}`);
    for (const name of names) writeFileSync(join(folder, name), '');
    const listing = nodeFiles.list(folder);
    // Names are read in one step, and files looked at in others: in between some of them go.
    await new Promise((resolve) => setImmediate(resolve));
    for (const name of names) unlinkSync(join(folder, name));
    const listed = await listing;
    assert.ok(listed.some(({ name, bytes }) => name === 'stays' && bytes === 1));
    if (listed.length < 61) vanished++;
  }
  assert.ok(vanished > 0, 'no file ever went away in time');
});
