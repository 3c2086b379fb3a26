import type { FieldTable } from '../model/fields.ts';
import type { Finding } from '../model/finding.ts';
import type { SpanEvents } from '../model/span-events.ts';
import { createDetector } from './engine.ts';
import type { RuleSet } from './load.ts';
import type { TestSpan } from './parse/test-file.ts';

export interface ShuffleOptions {
  /** How many orders of arrival are tried for each case. */
  readonly orders: number;
  /** The same seed gives the same orders. */
  readonly seed: number;
}

export interface ShuffleRun {
  readonly rules: RuleSet;
  readonly fields: FieldTable;
  readonly eventsFrom: (spans: readonly TestSpan[]) => SpanEvents;
}

const secondNanos = 1_000_000_000n;
const latenessNanos = 30n * secondNanos;

/**
 * Sends the spans of a case in other orders of arrival that the allowed lateness permits, cut into other batches, and compares
 * the findings with those of the order written. Half of the orders delay each span by less than 30 s, the others turn the
 * whole case round with a lateness as long as the case. Gives the first order that differs and how, '' when none does.
 */
export function shuffledDifference(spans: readonly TestSpan[], run: ShuffleRun, options: ShuffleOptions): string {
  if (spans.length < 2) return '';
  const numbered = spans.map((span, index): TestSpan => ({ ...span, number: index + 1 }));
  const ends = spans.map(({ endNanos }) => endNanos);
  const [first, last] = [ends.reduce((a, b) => (b < a ? b : a)), ends.reduce((a, b) => (b > a ? b : a))];
  for (let order = 0; order < options.orders; order++) {
    const seed = options.seed + order;
    const random = randomFrom(seed);
    // Ids of findings may depend on the lateness, so both sides have the same.
    const lateness = seed % 2 === 0 ? last - first + secondNanos : latenessNanos;
    const arrivals = numbered
      .map((span) => ({ span, at: span.endNanos + (lateness * BigInt(Math.floor(random() * 1_000_000))) / 1_000_000n }))
      .sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
      .map(({ span }) => span);
    const batches = cut(arrivals, random);
    const found = findingTexts(batches, lateness, run);
    const expected = findingTexts([numbered], lateness, run);
    const missing = expected.filter((text) => !found.includes(text)).length;
    const further = found.filter((text) => !expected.includes(text)).length;
    if (missing === 0 && further === 0) continue;
    const shown = batches.map((batch) => batch.map(({ number }) => number).join(' ')).join(' | ');
    const words = `findings in the order written: ${expected.length}, in another order of arrival: ${found.length}`;
    return `${words} (${missing} missing or changed, ${further} others); order ${shown} (--shuffle 1 --seed ${seed})`;
  }
  return '';
}

/** All findings of the rules, each in its last state, as texts to compare. */
function findingTexts(
  batches: readonly (readonly TestSpan[])[],
  allowedLatenessNanos: bigint,
  { rules, fields, eventsFrom }: ShuffleRun,
): string[] {
  const detector = createDetector({ ...rules, fields, allowedLatenessNanos });
  const newest = new Map<string, Finding>();
  const take = (findings: readonly Finding[]): void => {
    for (const finding of findings) newest.set(finding.id, finding);
  };
  for (const batch of batches) take(detector.detect(eventsFrom(batch)));
  take(detector.flush());
  const text = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);
  return [...newest.values()].map((finding) => JSON.stringify(finding, text)).sort();
}

function cut(spans: readonly TestSpan[], random: () => number): TestSpan[][] {
  const batches: TestSpan[][] = [];
  for (const span of spans) {
    const last = batches.at(-1);
    if (last && random() < 0.6) last.push(span);
    else batches.push([span]);
  }
  return batches;
}

/** mulberry32: small, and the same on every machine. */
function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
