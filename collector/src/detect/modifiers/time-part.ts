import type { Value } from '../../model/value.ts';

export const timeParts = ['minute', 'hour', 'day', 'week', 'month', 'year'] as const;

export type TimePart = (typeof timeParts)[number];

/** The least and the greatest that each may be; a year may be any. */
export const timePartRanges: Readonly<Partial<Record<TimePart, readonly [number, number]>>> = {
  minute: [0, 59],
  hour: [0, 23],
  day: [1, 31],
  week: [1, 53],
  month: [1, 12],
};

const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

/** A part of a time in UTC: RFC 3339 text, or a whole number of nanoseconds since the epoch. */
export function timePartOf(value: Value, part: TimePart): number | undefined {
  const ms = typeof value === 'string' ? parseRfc3339(value) : nanosToMs(value);
  if (ms === undefined) return undefined;
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return undefined;
  if (part === 'minute') return date.getUTCMinutes();
  if (part === 'hour') return date.getUTCHours();
  if (part === 'day') return date.getUTCDate();
  if (part === 'week') return isoWeek(date);
  return part === 'month' ? date.getUTCMonth() + 1 : date.getUTCFullYear();
}

function nanosToMs(value: Value): number | undefined {
  if (typeof value === 'bigint') return Number(value / 1_000_000n);
  return typeof value === 'number' && Number.isInteger(value) ? Math.floor(value / 1e6) : undefined;
}

function parseRfc3339(text: string): number | undefined {
  const match = text.length <= 40 ? rfc3339.exec(text) : null;
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  const zone = match[7]!;
  const sign = zone.startsWith('-') ? -1 : 1;
  const offsetMinutes = zone.length === 6 ? sign * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4))) : 0;
  return date.getTime() + ((hour * 60 + minute - offsetMinutes) * 60 + second) * 1000;
}

/** ISO 8601: the week of a day is the week of its Thursday, counted in that Thursday's year. */
function isoWeek(date: Date): number {
  const thursday = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()));
  thursday.setUTCDate(thursday.getUTCDate() + 4 - (thursday.getUTCDay() || 7));
  const yearStart = Date.UTC(thursday.getUTCFullYear(), 0, 1);
  return Math.ceil(((thursday.getTime() - yearStart) / 86_400_000 + 1) / 7);
}
