import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rooms } from './rooms.ts';

test('room is used again when it was given back, and not before', () => {
  const rooms = new Rooms({ sparesMax: 4, spareBytesMax: 4 * 1024 * 1024 });
  const [one, other] = [rooms.take(300_000), rooms.take(300_000)];
  assert.equal(one.length, 300_000);
  assert.notEqual(one.buffer, other.buffer);
  rooms.giveBack(one);
  const shorter = rooms.take(270_000);
  assert.deepEqual([shorter.buffer === one.buffer, shorter.length], [true, 270_000]);
  assert.notEqual(rooms.take(270_000).buffer, one.buffer);
});

test('what is given back twice, or comes from elsewhere, is lent to nobody', () => {
  const rooms = new Rooms({ sparesMax: 4, spareBytesMax: 4 * 1024 * 1024 });
  const room = rooms.take(300_000);
  rooms.giveBack(room);
  rooms.giveBack(room);
  const foreign = Buffer.allocUnsafeSlow(600_000);
  rooms.giveBack(foreign);
  const taken = [rooms.take(300_000), rooms.take(300_000)];
  assert.equal(new Set(taken.map(({ buffer }) => buffer)).size, 2);
  assert.ok(taken.every(({ buffer }) => buffer !== foreign.buffer));
});

test('few and no huge ones are kept', () => {
  const rooms = new Rooms({ sparesMax: 4, spareBytesMax: 4 * 1024 * 1024 });
  const huge = rooms.take(9_000_000);
  rooms.giveBack(huge);
  assert.notEqual(rooms.take(9_000_000).buffer, huge.buffer);
  const many = Array.from({ length: 6 }, () => rooms.take(300_000));
  for (const room of many) rooms.giveBack(room);
  const again = Array.from({ length: 6 }, () => rooms.take(300_000));
  assert.equal(again.filter(({ buffer }) => many.some((room) => room.buffer === buffer)).length, 4);
});
