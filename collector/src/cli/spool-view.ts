import type { DeadLetter } from '../spool/dead-letters.ts';
import {
  type InspectedSegment,
  lateMs,
  type SegmentFile,
  type SpoolSummary,
  type SpoolSurvey,
  summarise,
} from '../spool/survey.ts';
import { count } from './rule-problems.ts';
import { escapeControl, type Terminal, truncate } from './terminal.ts';

/** What `spool status` says of a directory. */
export interface SpoolStatus extends SpoolSummary {
  readonly directory: string;
  readonly bytesMax: number;
  readonly freeBytes: number;
  readonly hasReserve: boolean;
  readonly advice: readonly string[];
}

const excerptBytesMax = 512;

export function spoolStatus(survey: SpoolSurvey, directory: string, bytesMax: number, nowMs: number): SpoolStatus {
  const { freeBytes, hasReserve } = survey;
  const summary = summarise(survey, nowMs);
  const advice: string[] = [];
  if (summary.unsent.oldestMs > lateMs) {
    advice.push('Segments wait: does ClickHouse take rows? /readyz and the log of spanwarden serve say why not.');
  }
  if (!hasReserve) advice.push('The reserve of disk space is not there: make room, and it comes back by itself.');
  if (summary.deadLetters.segments > 0) advice.push('Rows were refused: spanwarden spool dead-letter list');
  if (summary.quarantined.files > 0) advice.push('Damaged bytes were set aside in quarantine/: check the disk.');
  return { directory, ...summary, bytesMax, freeBytes, hasReserve, advice };
}

export function statusPage(status: SpoolStatus, terminal: Terminal): string {
  const { unsent, sent, deadLetters, quarantined } = status;
  const used = Math.round((unsent.bytes * 100) / status.bytesMax);
  const waiting = unsent.segments === 0 ? '' : `, the oldest for ${Math.round(unsent.oldestMs / 1000)} s`;
  const rows = [
    ['spool', status.directory],
    ['not sent', `${count(unsent.segments, 'segment')}, ${size(unsent.bytes)} (${used} % of bytes_max)${waiting}`],
    ['sent, kept', `${count(sent.segments, 'segment')}, ${size(sent.bytes)}`],
    ['dead letters', `${count(deadLetters.rows, 'row')} of ${count(deadLetters.segments, 'segment')}`],
    ['quarantine', `${count(quarantined.files, 'file')}, ${size(quarantined.bytes)}`],
    ['disk', `${size(status.freeBytes)} free`],
  ];
  const advice = status.advice.map((line) => `${terminal.yellow('!')} ${line}\n`).join('');
  return terminal.table(rows.map(([name = '', ...rest]) => [terminal.dim(name), ...rest])) + advice;
}

export function segmentTable(segments: readonly SegmentFile[], terminal: Terminal): string {
  const headings = ['segment', 'state', 'size', 'written'].map(terminal.dim);
  const rows = segments.map(({ id, kind, bytes, changedMs }) => [
    id,
    kind === 'seg' ? 'not sent' : 'sent',
    size(bytes),
    new Date(changedMs).toISOString(),
  ]);
  return terminal.table([headings, ...rows]);
}

export function segmentPage(segment: InspectedSegment, terminal: Terminal): string {
  const headings = ['record', 'taken in', 'at byte', 'size', 'rows', 'digest'].map(terminal.dim);
  const rows = segment.records.map(({ sequence, timeMs, offset, bytes, tables, digest }) => [
    String(sequence),
    new Date(timeMs).toISOString(),
    String(offset),
    size(bytes),
    tables.map(({ table, rows }) => `${rows} ${table}`).join(', ') || 'none',
    digest,
  ]);
  const damage = segment.damage.map(({ kind, start, end }) => `${terminal.red(kind)} bytes ${start} to ${end}\n`);
  return `${terminal.bold(segment.id)}  ${size(segment.bytes)}\n${terminal.table([headings, ...rows])}${damage.join('')}`;
}

export function deadLetterTable(letters: readonly DeadLetter[], terminal: Terminal): string {
  const headings = ['segment', 'time', 'rows', 'tables', 'reason'].map(terminal.dim);
  const rows = letters.map(({ segment, time, refused }) => [
    segment,
    time,
    String(refused.reduce((sum, each) => sum + each.rows, 0)),
    [...new Set(refused.map(({ table }) => table))].join(', '),
    truncate(escapeControl(refused[0]?.reason ?? ''), 80),
  ]);
  return terminal.table([headings, ...rows]);
}

/** One refused range; its bytes as text, as far as they are some. */
export function refusedPage(
  refused: { readonly table: string; readonly rows: number; readonly firstRow: number; readonly reason: string },
  bytes: Uint8Array,
  terminal: Terminal,
): string {
  const place =
    refused.rows === 1
      ? `row ${refused.firstRow}`
      : `rows ${refused.firstRow} to ${refused.firstRow + refused.rows - 1}`;
  const text = Buffer.from(bytes.subarray(0, excerptBytesMax)).toString('utf8');
  const more = bytes.length > excerptBytesMax ? terminal.dim(` … ${size(bytes.length - excerptBytesMax)} more`) : '';
  return `${terminal.bold(refused.table)} ${place}, ${size(bytes.length)}\n  ${escapeControl(refused.reason)}\n  ${escapeControl(text)}${more}\n`;
}

/** `0 B`, `12.3 KiB`, `4.0 MiB`. */
export function size(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = bytes < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${units[power]}`;
}
