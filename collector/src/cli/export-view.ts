import type { DeadLetter } from '../export/delivery/dead-letters.ts';
import type { ShownStatus } from './export-status.ts';
import { timeText } from './findings-view.ts';
import { escapeControl, type Style, type Terminal, truncate } from './terminal.ts';

/** Destinations as a table, with what to do about them below. */
export function statusTable(shown: readonly ShownStatus[], terminal: Terminal): string {
  const headings = ['destination', 'type', 'state', 'delivered', 'refused', 'waiting', 'behind', 'last success (UTC)'];
  const rows = shown.map(({ name, type, state, status }) => [
    name,
    type,
    stateStyle(state, terminal)(state),
    ...(status === undefined
      ? []
      : [
          String(status.counts.delivered),
          String(status.counts.refused),
          `${status.lag.events}${status.lag.more ? '+' : ''}`,
          durationText(status.lag.ms),
          status.lastSuccess === undefined ? '' : timeText(status.lastSuccess.time),
        ]),
  ]);
  const lines = shown.flatMap(({ name, state, status, advice }) => {
    const error = status?.lastError;
    const isNow = state === 'retrying' || state === 'misconfigured';
    const said = error && isNow ? [`${name}: ${escapeControl(error.reason)}`] : [];
    return [...said, ...advice.map((text) => `${name}: ${escapeControl(text)}`)];
  });
  const table = terminal.table([headings.map(terminal.dim), ...rows]);
  return table + lines.map((line) => `${terminal.yellow('!')} ${line}\n`).join('');
}

export function deadLetterTable(letters: readonly DeadLetter[], terminal: Terminal): string {
  const headings = ['time (UTC)', 'kind', 'id', 'reason'].map(terminal.dim);
  const rows = letters.map(({ time, kind, of, reason }) => [
    timeText(escapeControl(time)),
    kind,
    escapeControl(of),
    truncate(escapeControl(reason), 100),
  ]);
  return terminal.table([headings, ...rows]);
}

export function deadLetterPage(letter: DeadLetter, terminal: Terminal): string {
  const { id, kind, of, position, reason, time } = letter;
  const rows = [
    ['event', id],
    [kind, of],
    ['refused', `${timeText(time)} UTC`],
    ['reason', reason],
    ['position', position < 0 ? 'sent by a command' : String(position)],
  ];
  return terminal.table(rows.map(([label = '', text = '']) => [terminal.dim(label), escapeControl(text)]));
}

/** `0 s`, `12 s`, `3 min`, `5 h`. */
export function durationText(ms: number): string {
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`;
}

function stateStyle(state: ShownStatus['state'], terminal: Terminal): Style {
  if (state === 'ok') return terminal.green;
  return state === 'misconfigured'
    ? terminal.red
    : state === 'stopped' || state === 'new'
      ? terminal.dim
      : terminal.yellow;
}
