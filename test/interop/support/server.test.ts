import assert from 'node:assert/strict';
import test from 'node:test';
import { Server } from './server.ts';
import { lacking } from './tools.ts';

function program(code: string, readyMs = 10_000) {
  return Server.start({ command: process.execPath, args: ['-e', code], ready: /^ready$/m, readyMs });
}

test('a server is there when it says so, and ends when it is told', async () => {
  const server = await program('console.log("begins"); console.log("ready"); setInterval(() => {}, 1000)');
  assert.match(server.log, /begins/);
  await server.end('SIGKILL');
  await server.end('SIGTERM');
});

test('one that ends, says nothing or is not there is told with what it wrote', async () => {
  await assert.rejects(program('console.error("no disk"); process.exitCode = 3'), /ended:\nno disk/);
  await assert.rejects(program('setInterval(() => {}, 1000)', 100), /was not ready within 100 ms/);
  await assert.rejects(
    Server.start({ command: 'not-a-program', args: [], ready: /x/, readyMs: 1000 }),
    /could not be started.*ENOENT/,
  );
});

test('what is missing on a machine is named', () => {
  const path = process.env.PATH;
  process.env.PATH = '';
  try {
    assert.equal(lacking('java', 'go'), 'not on this machine: java, go');
  } finally {
    process.env.PATH = path;
  }
});
