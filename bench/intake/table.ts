import type { SpanSize } from '../spans.ts';
import type { Protocol } from './requests.ts';
import type { Round } from './round.ts';
import type { TargetName } from './targets.ts';

export interface Cell extends Round {
  readonly size: SpanSize;
  readonly protocol: Protocol;
  readonly target: TargetName;
  /** Load average of the machine after the round. */
  readonly load: number;
}

/** One part of the offered-load curve. */
export interface Step extends Round {
  readonly target: TargetName;
  /** Spans per second that it acknowledged when eight senders sent as fast as they could. */
  readonly takes: number;
  /** Share of that which was offered. */
  readonly offer: number;
  /** Requests. */
  readonly offered: number;
  readonly load: number;
}

/** Both tables as Markdown. */
export function printed(cells: readonly Cell[], steps: readonly Step[]): string {
  const head = ['spans', 'protocol', 'collector', 'CPU-s per million', 'of ClickHouse', 'spans per CPU-s', 'spans/s'];
  return [
    ...(cells.length > 0
      ? table([...head, 'ack p50', 'p99', 'peak memory', 'acknowledged − stored', 'load'], cells.map(cellRow))
      : []),
    ...(steps.length > 0 ? table(stepHead, steps.map(stepRow)) : []),
  ].join('\n');
}

function cellRow(it: Cell): string[] {
  return [
    it.size > 1_000 ? `${it.size / 1_000} KB` : '0.7 KB',
    it.protocol,
    it.target,
    it.cpuSecondsPerMillion.toFixed(1),
    it.clickhouseCpuSecondsPerMillion.toFixed(1),
    it.spansPerCpuSecond.toLocaleString('en'),
    it.spansPerSecond.toLocaleString('en'),
    `${it.ackP50Ms.toFixed(0)} ms`,
    `${it.ackP99Ms.toFixed(0)} ms`,
    `${it.peakMemoryMiB} MiB`,
    String(it.lost),
    it.load.toFixed(1),
  ];
}

const stepHead = [
  ...['collector', 'offered', 'spans/s', 'accepted', 'refused', 'failed', 'not sent', 'ack p50', 'p99', 'rows behind'],
  ...['peak memory', 'acknowledged − stored', 'load'],
];

function stepRow(it: Step): string[] {
  const share = (requests: number) => `${((requests / it.offered) * 100).toFixed(0)} %`;
  return [
    it.target,
    `${Math.round(it.offer * 100)} %`,
    Math.round(it.takes * it.offer).toLocaleString('en'),
    share(it.answers.acknowledged),
    share(it.answers.refused),
    share(it.answers.failed),
    share(it.answers.notSent),
    `${it.ackP50Ms.toFixed(0)} ms`,
    `${it.ackP99Ms.toFixed(0)} ms`,
    `${it.behindSeconds.toFixed(1)} s`,
    `${it.peakMemoryMiB} MiB`,
    String(it.lost),
    it.load.toFixed(1),
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cellsOfLine: readonly string[]) => `| ${cellsOfLine.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line), ''];
}
