import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../config/load.ts';
import { SpanwardenError } from '../model/errors.ts';
import { type Exporter, openExporter } from './exporter.ts';
import { exportDirectory } from './running.ts';
import type { EventSource } from './source.ts';
import { findingEvent } from './testing/events.ts';
import { MemoryEventSource } from './testing/memory-source.ts';

// All destinations together, on real files.

const home = mkdtempSync(join(tmpdir(), 'spanwarden-exporter-'));
after(() => rmSync(home, { recursive: true, force: true }));
let count = 0;

interface Place {
  readonly dataDir: string;
  readonly good: string;
  /** The folder of the other file: without it that destination is misconfigured. */
  readonly folder: string;
  readonly bad: string;
}

function place(): Place {
  const directory = join(home, String(count++));
  const folder = join(directory, 'folder');
  mkdirSync(folder, { recursive: true });
  return { dataDir: join(directory, 'data'), good: join(directory, 'good'), folder, bad: join(folder, 'bad') };
}

function opened({ dataDir, good, bad }: Place, source: EventSource): Promise<Exporter> {
  const text = `export:
  destinations:
    good: { type: file, path: ${good}, start: oldest, batch: { linger_ms: 0 } }
    bad: { type: file, path: ${bad}, start: oldest, batch: { linger_ms: 0 } }
`;
  const { export: config } = loadConfig({ text, env: {} });
  return openExporter({ config, dataDir, source, version: '1', redact: (event) => event, now: Date.now });
}

function idsIn(path: string): string[] {
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => (JSON.parse(line) as { event_id: string }).event_id);
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await sleep(5);
}

const events = Array.from({ length: 30 }, (_, number) => findingEvent(number, `key${number % 3}`));
const ids = events.map(({ id }) => id);

test('a destination that takes nothing slows nobody, says so, and each goes on where it stood', async () => {
  const where = place();
  const source = new MemoryEventSource();
  const exporter = await opened(where, source);
  rmSync(where.folder, { recursive: true });
  exporter.start();
  for (const event of events) source.add([event]);
  await until(() => exporter.statuses().every(({ counts }) => counts.delivered === 30 || counts.retried > 0));
  const [good, bad] = exporter.statuses();
  assert.deepEqual([good?.state, good?.counts.delivered], ['ok', 30]);
  assert.deepEqual([bad?.state, bad?.counts.delivered], ['misconfigured', 0]);
  const warnings = exporter.warnings();
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /^export destination bad is misconfigured since .*ENOENT/);
  await exporter.stop(1_000);
  assert.deepEqual(idsIn(where.good), ids);

  mkdirSync(where.folder);
  const again = await opened(where, source);
  again.start();
  await until(() => again.statuses()[1]?.counts.delivered === 30);
  await again.stop(1_000);
  assert.deepEqual([idsIn(where.good), idsIn(where.bad)], [ids, ids]);
});

test('what a destination keeps is for its owner alone, and says how it stands', async () => {
  const where = place();
  const source = new MemoryEventSource();
  const exporter = await opened(where, source);
  exporter.start();
  source.add(events);
  await until(() => exporter.statuses().every(({ counts }) => counts.delivered === 30));
  await Promise.all([exporter.stop(1_000), exporter.stop(1_000)]);
  const directory = exportDirectory(where.dataDir, 'good');
  assert.deepEqual(readdirSync(directory).sort(), ['cursor.json', 'status.json']);
  assert.deepEqual(
    [directory, ...readdirSync(directory).map((name) => join(directory, name))].map(
      (path) => statSync(path).mode & 0o777,
    ),
    [0o700, 0o600, 0o600],
  );
  const status = JSON.parse(readFileSync(join(directory, 'status.json'), 'utf8')) as {
    state: string;
    position: number;
  };
  assert.deepEqual([status.state, status.position], ['stopped', 0]);
});

test('a folder that cannot be used stops the start, and what was opened before is closed', async () => {
  const where = place();
  mkdirSync(join(exportDirectory(where.dataDir, 'bad'), 'cursor.json'), { recursive: true });
  await assert.rejects(opened(where, new MemoryEventSource()), (error: unknown) => {
    assert.ok(error instanceof SpanwardenError);
    assert.match(error.message, /export\.destinations\.bad: .*cannot be used: EISDIR[\s\S]*SW_EXPORT_OPEN/);
    return true;
  });
});
