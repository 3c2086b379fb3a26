import { createHash } from 'node:crypto';
import type { SealedSegment } from '../../model/spool.ts';
import type { Spool, SpoolBatch } from '../contract.ts';

/** A batch whose rows can be told apart again: each row is `<number>;` and padding, one per table. */
export function numberedBatch(number: number, paddingBytes = 0): SpoolBatch {
  const text = `${number}${'.'.repeat(paddingBytes)};`;
  return {
    digest: createHash('sha256').update(text).digest().subarray(0, 16),
    rows: [
      { table: 'otel_traces', bytes: Buffer.from(text), count: 1 },
      { table: 'findings', bytes: Buffer.from(`f${text}`), count: 1 },
    ],
  };
}

/** The numbers of the batches in a segment, after checking that spans and findings agree. */
export async function numbersIn(segment: SealedSegment): Promise<number[]> {
  const spans = parse(await segment.read('otel_traces'));
  const findings = parse(await segment.read('findings'));
  if (findings.some((text, index) => text !== `f${spans[index]}`) || findings.length !== spans.length) {
    throw new Error('spans and findings of a segment do not belong together');
  }
  return spans.map(Number);
}

/** Takes every sealed segment there is, marks it as sent, and gives the numbers in it. */
export async function drain(spool: Spool): Promise<number[]> {
  await spool.seal();
  const numbers: number[] = [];
  while (spool.stats().segments > 0) {
    const segment = (await spool.next(AbortSignal.timeout(10_000)))!;
    numbers.push(...(await numbersIn(segment)));
    await spool.sent(segment);
  }
  return numbers;
}

function parse(buffers: readonly Buffer[]): string[] {
  const text = Buffer.concat(buffers).toString('latin1').replaceAll('.', '');
  return text.split(';').slice(0, -1);
}
