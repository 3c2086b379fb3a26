import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Scan } from '../slices.ts';
import type { Call } from './call.ts';
import { idOfKey, type SessionRecord, SessionTable, type SessionTableBounds } from './session-table.ts';

const seconds = 1_000_000_000n;

function call(at: number, shown: readonly string[] = [], whole = ''): Call {
  const ids = { traceId: String(at), spanId: String(at), first: '', own: `x${at}`, before: [], prefixes: [] };
  return { ...ids, startNanos: BigInt(at) * seconds, endNanos: BigInt(at) * seconds + 1n, shown, whole };
}

function table(bounds: Partial<SessionTableBounds> = {}): SessionTable {
  return new SessionTable(new Scan<SessionRecord>(), { idleNanos: 100n * seconds, ...bounds });
}

describe('the table of sessions', () => {
  test('forgets the oldest keys of a long session, but not the one that it is named by', () => {
    const sessions = table({ keysPerSessionMax: 3 });
    const record = sessions.open('id', 't0');
    for (let at = 0; at < 10; at++) sessions.add(record, call(at, [`t${at}`]));
    const found = Array.from({ length: 10 }, (_, at) => at).filter((at) => sessions.find(`t${at}`, call(10)));
    assert.deepEqual(found, [0, 8, 9]);
    assert.equal(sessions.counters.forgottenKeys, 7);
  });

  test('bounds the messages of a session as its keys', () => {
    const sessions = table({ keysPerSessionMax: 3 });
    const record = sessions.open('id', '');
    for (let at = 0; at < 10; at++) sessions.add(record, call(at, [], `p${at}`));
    assert.equal(sessions.keys, 3);
    assert.equal(sessions.findWhole('p9', call(11)), record);
    assert.equal(sessions.findWhole('p1', call(11)), undefined);
  });

  test('lets go of the stalest session when there are too many, or too many keys', () => {
    for (const bounds of [{ sessionsMax: 5 }, { keysMax: 5 }]) {
      const sessions = table(bounds);
      for (let at = 0; at < 20; at++) sessions.add(sessions.open(`id ${at}`, ''), call(at, [`t${at}`]));
      assert.equal(sessions.size, 5);
      assert.equal(sessions.keys, 5);
      assert.equal(sessions.counters.evictedSessions, 15);
      assert.equal(sessions.find('t3', call(20)), undefined);
      assert.equal(sessions.find('t19', call(20))?.id, 'id 19');
    }
  });

  test('one session with more keys than all may have keeps what one may have', () => {
    const sessions = table({ keysMax: 2, keysPerSessionMax: 4 });
    sessions.add(sessions.open('id', ''), call(1, ['ta', 'tb', 'tc', 'td', 'te']));
    assert.equal(sessions.keys, 4);
  });

  test('a key of a session that is idle belongs to the next that shows it', () => {
    const sessions = table();
    const [first, second] = [sessions.open('first', ''), sessions.open('second', '')];
    sessions.add(first, call(1, ['tkey']));
    assert.deepEqual(sessions.add(second, call(50, ['tkey'])), { fresh: [], others: [first] });
    assert.deepEqual(sessions.add(second, call(200, ['tkey'])).fresh, ['tkey']);
    assert.equal(sessions.find('tkey', call(201)), second);
    sessions.forgetBefore(1000n * seconds);
    assert.deepEqual([sessions.size, sessions.keys], [0, 0]);
  });

  test('the id of a response that another session has says nothing, unless that one was named by it', () => {
    const sessions = table();
    sessions.add(sessions.open('a', ''), call(1, ['r1']));
    assert.deepEqual(sessions.add(sessions.open('b', ''), call(2, ['r1'])).others, []);
    const named = sessions.open(idOfKey('r2'), 'r2');
    sessions.add(named, call(3, ['r2']));
    assert.deepEqual(sessions.add(sessions.open('b', ''), call(4, ['r2'])).others, [named]);
  });

  test('messages that very many sessions have cost no more than those of a few', () => {
    const sessions = table();
    for (let at = 0; at < 1000; at++) sessions.add(sessions.open(`id ${at}`, ''), call(50, [], 'pyes'));
    assert.equal(sessions.findWhole('pyes', call(60)), undefined);
    assert.equal(sessions.counters.ambiguous, 1);
  });
});
