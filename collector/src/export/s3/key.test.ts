import assert from 'node:assert/strict';
import test from 'node:test';
import { findingEvent } from '../testing/events.ts';
import { keyOf, type Layout, partitionOf } from './key.ts';

const layout: Layout = {
  folderOf: (takenMs) => `day-${Math.floor(takenMs / 86_400_000)}/`,
  extension: '.x',
  owner: 'siem',
};
const takenMs = Date.UTC(2026, 10, 28, 10, 2, 20, 250);
const events = [1, 2, 3].map((number) => ({ ...findingEvent(number), takenMs }));

test('a key says when, and is that of these events alone', () => {
  const key = keyOf(events, layout);
  assert.match(key, /^day-20785\/20261128T100220Z-[0-9a-f]{32}\.x$/);
  assert.equal(keyOf([...events], layout), key);
  const others = [
    keyOf(events.slice(0, 2), layout),
    keyOf(events.toReversed(), layout),
    keyOf(events.with(1, { ...events[1]!, id: `${events[1]!.finding.id}-7` }), layout),
    keyOf(events, { ...layout, owner: 'lake' }),
  ];
  assert.equal(new Set([key, ...others]).size, 5);
});

test('events of one object are of one folder, and of one stretch of the time that they wait', () => {
  const of = (ms: number, lingerMs = 60_000): string => partitionOf(ms, layout, lingerMs);
  const minute = Math.floor(takenMs / 60_000) * 60_000;
  assert.equal(of(minute), of(minute + 59_999));
  assert.notEqual(of(minute), of(minute + 60_000));
  assert.equal(of(minute, 0), of(minute + 60_000, 0));
  const midnight = Date.UTC(2026, 10, 29);
  // A stretch of seven minutes goes over midnight; objects do not.
  assert.equal(Math.floor(midnight / 420_000), Math.floor((midnight - 1) / 420_000));
  assert.notEqual(of(midnight, 420_000), of(midnight - 1, 420_000));
});
