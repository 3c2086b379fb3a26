import assert from 'node:assert/strict';
import test from 'node:test';
import { parseIdPrefix, parseLevel, parseLimit, parseSince, parseTraceId } from './findings-filter.ts';

test('since: spans of time and times', () => {
  assert.equal(parseSince('30m', 10_000_000), 8_200_000);
  assert.equal(parseSince('7d', 604_800_000), 0);
  assert.equal(parseSince('2026-11-22T10:00:00Z', 0), Date.UTC(2026, 10, 22, 10));
  assert.equal(parseSince('2026-11-22', 0), Date.UTC(2026, 10, 22));
  for (const text of ['', 'yesterday', '5', '5y', '-1h', '2026-99-99', '1e9h']) {
    assert.throws(() => parseSince(text, 0), /Write 30m/, text);
  }
});

test('level, limit and ids take what they say and nothing else', () => {
  assert.equal(parseLevel('HIGH'), 'high');
  assert.throws(() => parseLevel('severe'), /informational, low, medium, high, critical/);
  assert.equal(parseLimit('20'), 20);
  for (const text of ['0', '-1', '1.5', 'x', '10001', '']) assert.throws(() => parseLimit(text), text);
  assert.equal(parseIdPrefix('ABCDEF'), 'abcdef');
  assert.equal(parseTraceId('AB'.repeat(16)), 'ab'.repeat(16));
  assert.throws(() => parseTraceId('abcd'));
  for (const text of ['', 'abc', 'xyzw', 'a'.repeat(33), "ab' OR 1"]) assert.throws(() => parseIdPrefix(text), text);
});
