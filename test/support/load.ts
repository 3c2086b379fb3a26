import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** What a process of senders is to offer. */
export interface LoadOrder {
  readonly url: string;
  readonly transport: 'http' | 'grpc';
  readonly seconds: number;
  /** Requests under way at once. */
  readonly connections: number;
  readonly bodyBytes: number;
  /** Spans of one request. */
  readonly spans: number;
  /** Requests that become due in a second, whatever is answered; without it each answer is followed by the next request at once. */
  readonly perSecond?: number;
}

export interface LoadAnswer {
  /** HTTP status, name of the gRPC code, or code of the error where there was no answer. */
  readonly code: string;
  /** Whether it said when to come again. */
  readonly isRetryable: boolean;
  readonly ms: number;
}

export interface LoadReport {
  readonly answers: readonly LoadAnswer[];
  /** Requests that were due while `connections` others were under way. */
  readonly unsent: number;
}

const senderFile = fileURLToPath(new URL('./load-sender.ts', import.meta.url));

/** Runs one process per order, all at once, and gives what they were answered together. */
export async function offerLoad(orders: readonly LoadOrder[]): Promise<LoadReport> {
  const reports = await Promise.all(orders.map(offerOne));
  return {
    answers: reports.flatMap(({ answers }) => answers),
    unsent: reports.reduce((sum, { unsent }) => sum + unsent, 0),
  };
}

async function offerOne(order: LoadOrder): Promise<LoadReport> {
  const child = fork(senderFile);
  const ended = new Promise<never>((_, failed) =>
    child.once('exit', (code) => failed(new Error(`the sender ended with ${code}`))),
  );
  ended.catch(() => undefined);
  await Promise.race([message(child), ended]);
  child.send(order);
  return (await Promise.race([message(child), ended])) as LoadReport;
}

function message(child: ChildProcess): Promise<unknown> {
  return new Promise((done) => child.once('message', done));
}

/** How many answers there were of each code. */
export function countCodes(answers: readonly LoadAnswer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { code } of answers) counts[code] = (counts[code] ?? 0) + 1;
  return counts;
}

/** The largest resident memory that a process has had, in MiB. */
export function peakMemoryMiB(pid: number): number {
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024);
}
