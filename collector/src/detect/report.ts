import type { ErrorCode, Position, Problem } from '../model/errors.ts';

/**
 * Collects what is wrong with rules, so that one run tells everything. Errors keep a rule from loading; warnings are
 * what `rules lint` says beyond that.
 */
export class Report {
  readonly errors: Problem[];
  readonly warnings: Problem[] = [];

  /** @param errors what was wrong before */
  constructor(errors: readonly Problem[] = []) {
    this.errors = [...errors];
  }

  error(code: ErrorCode, position: Position | undefined, message: string, advice?: string): void {
    this.errors.push(problem(code, position, message, advice));
  }

  warn(code: ErrorCode, position: Position | undefined, message: string, advice?: string): void {
    this.warnings.push(problem(code, position, message, advice));
  }
}

/** The candidate nearest to a mistyped word, or undefined when none is near enough to be meant. */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  const folded = word.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 4)) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue;
    const distance = editDistance(folded, candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function problem(code: ErrorCode, position: Position | undefined, message: string, advice?: string): Problem {
  return { code, message, ...(position && { position }), ...(advice && { advice }) };
}

/** Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours count one each. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min(row[j - 1]! + 1, last[j]! + 1, last[j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, beforeLast[j - 2]! + 1);
      }
      row.push(least);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
