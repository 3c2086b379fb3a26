import { InvalidArgumentError } from 'commander';
import { type Level, levels } from '../model/severity.ts';

const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** `30m`, `24h`, `7d` before `nowMs`, or an ISO date or time; milliseconds since the epoch. */
export function parseSince(text: string, nowMs: number): number {
  const [, count, unit] = /^(\d{1,6})\s*([smhdw])$/.exec(text.trim()) ?? [];
  if (count !== undefined) return nowMs - Number(count) * unitMs[unit as keyof typeof unitMs];
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw new InvalidArgumentError('Write 30m, 24h, 7d or a time such as 2026-11-22T10:00:00Z.');
  return time;
}

export function parseLevel(text: string): Level {
  const level = levels.find((name) => name === text.toLowerCase());
  if (level === undefined) throw new InvalidArgumentError(`Write one of ${levels.join(', ')}.`);
  return level;
}

export function parseLimit(text: string): number {
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > limitMax) throw new InvalidArgumentError(`Write a number from 1 to ${limitMax}.`);
  return limit;
}

/** The id of a finding, or the start of one. */
export function parseIdPrefix(text: string): string {
  if (!/^[0-9a-f]{4,32}$/i.test(text)) throw new InvalidArgumentError('Write 4 to 32 hex digits.');
  return text.toLowerCase();
}

export function parseTraceId(text: string): string {
  if (!/^[0-9a-f]{32}$/i.test(text)) throw new InvalidArgumentError('Write all 32 hex digits.');
  return text.toLowerCase();
}

const limitMax = 10_000;
