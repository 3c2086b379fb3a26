import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { SpanwardenError } from '../model/errors.ts';
import { openSpool } from './spool.ts';
import { drain } from './testing/records.ts';
import { quietOptions, temporaryDirectory } from './testing/temporary.ts';

const program = join(import.meta.dirname, 'testing', 'append-forever.ts');
const rounds = 20;

interface KilledRun {
  readonly acknowledged: number[];
}

/** Runs the appending process until it has acknowledged so many, then kills it in the middle of the next. */
async function runAndKill(directory: string, first: number, count: number): Promise<KilledRun> {
  const child = spawn(process.execPath, [program, directory, String(first)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  let text = '';
  child.stdout.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
    if (text.split('\n').length > count + 1) child.kill('SIGKILL');
  });
  await exited;
  assert.equal(child.signalCode, 'SIGKILL', text);
  const acknowledged = text.split('\n').slice(1, -1).map(Number);
  return { acknowledged };
}

test(`kill -9 at ${rounds} random moments: every acknowledged batch is there exactly once`, async (t) => {
  const directory = await temporaryDirectory(t);
  const acknowledged: number[] = [];
  const stored: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const run = await runAndKill(directory, round * 100_000, Math.floor(Math.random() * 120));
    acknowledged.push(...run.acknowledged);
    if (round % 5 !== 4) continue;
    const spool = await openSpool(quietOptions(directory));
    stored.push(...(await drain(spool)));
    await spool.close();
  }
  assert.ok(acknowledged.length > rounds);
  assert.equal(new Set(stored).size, stored.length, 'no batch twice');
  assert.deepEqual(
    stored,
    stored.toSorted((a, b) => a - b),
    'in order',
  );
  const there = new Set(stored);
  assert.deepEqual(
    acknowledged.filter((number) => !there.has(number)),
    [],
    'no acknowledged batch missing',
  );
});

test('a spool that a live process uses is refused, and taken over when that process was killed', async (t) => {
  const directory = await temporaryDirectory(t);
  const child = spawn(process.execPath, [program, directory, '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  await once(child.stdout, 'data');
  await assert.rejects(openSpool(quietOptions(directory)), (error) => {
    assert.ok(error instanceof SpanwardenError);
    assert.equal(error.problems[0]?.code, 'SW_DATA_DIR');
    assert.match(error.message, new RegExp(`process ${child.pid} `));
    return true;
  });
  child.kill('SIGKILL');
  await exited;
  const spool = await openSpool(quietOptions(directory));
  await spool.close();
});
