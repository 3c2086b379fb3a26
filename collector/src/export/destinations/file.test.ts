import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Destination, DestinationContext } from '../contract.ts';
import { findingEvent } from '../testing/events.ts';
import { fileDestination } from './file.ts';

const directory = mkdtempSync(join(tmpdir(), 'spanwarden-file-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const context: DestinationContext = {
  ...{ name: 'test', product: { vendor: 'v', name: 'n', version: '1' }, host: 'host', bytesMax: 262_144 },
  ...{ denyPrivateAddresses: false, lingerMs: 500, extraFields: () => ({}), link: () => '', now: () => 0 },
};
let files = 0;

async function opened(settings: object = {}): Promise<{ destination: Destination; path: string }> {
  const path = join(directory, `file-${files++}.ndjson`);
  return { destination: await open(path, settings), path };
}

function open(path: string, settings: object = {}): Promise<Destination> {
  return Promise.resolve(
    fileDestination.open(fileDestination.schema.parse({ type: 'file', path, ...settings }), context),
  );
}

function send(destination: Destination, numbers: readonly number[], reason = '') {
  const batch = numbers.map((number) => {
    const event = findingEvent(number, 'key', { reason });
    return { event, body: destination.encode(event) };
  });
  return destination.send(batch, new AbortController().signal);
}

function numbersIn(path: string): number[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  assert.equal(lines.pop(), '', 'the last line is whole');
  return lines.map((line) => Number.parseInt((JSON.parse(line) as { finding: { id: string } }).finding.id, 16));
}

test('each event is a line that only the owner can read, whatever it holds', async () => {
  const { destination, path } = await opened();
  const outcome = await send(destination, [1, 2], 'a\nb\u2028"}\n{"id":"forged');
  assert.equal(outcome.status, 'delivered');
  assert.deepEqual([numbersIn(path), statSync(path).mode & 0o777], [[1, 2], 0o600]);
  await destination.close();
});

test('calls at once do not mix their lines', async () => {
  const { destination, path } = await opened();
  await Promise.all(Array.from({ length: 20 }, (_, index) => send(destination, [2 * index, 2 * index + 1])));
  assert.deepEqual(
    numbersIn(path),
    Array.from({ length: 40 }, (_, index) => index),
  );
  await destination.close();
});

test('a file that is full becomes the first of the old ones, and only so many are kept', async () => {
  const { destination, path } = await opened({ bytes_max: 65_536, files_max: 3 });
  for (let number = 1; number <= 8; number++) await send(destination, [number], 'x'.repeat(40_000));
  await destination.close();
  assert.deepEqual([path, `${path}.1`, `${path}.2`].map(numbersIn), [[8], [7], [6]]);
  assert.ok(!existsSync(`${path}.3`));
  const only = await opened({ bytes_max: 65_536, files_max: 1 });
  for (const number of [1, 2]) await send(only.destination, [number], 'x'.repeat(40_000));
  assert.deepEqual(numbersIn(only.path), [2]);
  await only.destination.close();
});

test('somebody who moves or deletes the file gets a new one', async () => {
  const { destination, path } = await opened();
  await send(destination, [1]);
  renameSync(path, `${path}.moved`);
  await send(destination, [2]);
  rmSync(path);
  await send(destination, [3]);
  assert.deepEqual([numbersIn(`${path}.moved`), numbersIn(path)], [[1], [3]]);
  await destination.close();
});

test('what a crash left of a line goes, and nobody else loses anything', async () => {
  const { destination, path } = await opened();
  await send(destination, [1]);
  await destination.close();
  appendFileSync(path, '{"id":"torn in the mid');
  const again = await open(path);
  await send(again, [2]);
  assert.deepEqual(numbersIn(path), [1, 2]);
  await again.close();
  const other = join(directory, 'notes.txt');
  writeFileSync(other, 'a note without a line break');
  await (await open(other)).close();
  assert.equal(readFileSync(other, 'utf8'), 'a note without a line break\n');
});

test('a place that cannot be is told at the start, and later is a matter for a person', async () => {
  await assert.rejects(open(join(directory, 'none', 'x')), /export\.destinations\.test: ENOENT[\s\S]*SW_EXPORT_OPEN/);
  await assert.rejects(open(directory), /EISDIR[\s\S]*SW_EXPORT_OPEN/);
  const folder = join(directory, 'folder');
  mkdirSync(folder);
  const destination = await open(join(folder, 'x'));
  rmSync(folder, { recursive: true });
  assert.equal((await send(destination, [1])).status, 'misconfigured');
  mkdirSync(folder);
  assert.equal((await send(destination, [1])).status, 'delivered');
  assert.deepEqual(readdirSync(folder), ['x']);
  await destination.close();
});

test('what stands in a line is chosen by the format', async () => {
  const { destination, path } = await opened({ format: 'cef' });
  await send(destination, [1, 2], 'a\nb');
  assert.match(readFileSync(path, 'utf8'), /^CEF:0\|[^\n]+\nCEF:0\|[^\n]+\n$/);
  await destination.close();
});
