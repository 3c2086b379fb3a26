import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { test } from 'node:test';
import { limits } from '../model/limits.ts';
import { Connections, connectionsMaxOf } from './connections.ts';

test('as many connections as fit into the bytes, fewer with TLS, never more than the limit', () => {
  const bytes = 32 * 1024 * 1024;
  assert.deepEqual(
    [connectionsMaxOf('http', false, bytes), connectionsMaxOf('http', true, bytes)],
    [limits.connectionsMax, 585],
  );
  assert.deepEqual([connectionsMaxOf('grpc', false, bytes), connectionsMaxOf('grpc', true, bytes)], [1365, 455]);
  assert.equal(connectionsMaxOf('http', true, 1), 1);
});

test('one too many is closed and counted, those that are open stay, and there is room when one has ended', async (t) => {
  let now = 0;
  const connections = new Connections(2 * 56 * 1024, () => now);
  const server = createServer();
  connections.bound(server, 'http', true);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  const open = async () => {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    t.after(() => socket.destroy());
    await once(socket, 'connect');
    return socket;
  };
  const accepted = async (count: number) => {
    for (let i = 0; i < 1_000 && connections.open.http !== count; i++) await new Promise((done) => setTimeout(done, 5));
    assert.equal(connections.open.http, count);
  };
  const first = await open();
  await open();
  await accepted(2);
  assert.deepEqual([connections.refused, connections.warning()], [{ http: 0, grpc: 0 }, undefined]);
  const third = await open();
  if (!third.closed) await once(third.resume(), 'close');
  assert.deepEqual([connections.open.http, connections.refused.http, first.closed], [2, 1, false]);
  assert.match(connections.warning()!, /^1 connections were refused/);
  now += 6 * 60_000;
  assert.equal(connections.warning(), undefined);
  first.destroy();
  await accepted(1);
  await open();
  await accepted(2);
  assert.equal(connections.refused.http, 1);
});
