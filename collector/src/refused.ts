import type { Case } from './model/case.ts';
import { type Finding, versionOf } from './model/finding.ts';

/** What detection found, as it goes into one record. */
export interface Found {
  readonly findings: readonly Finding[];
  readonly cases: readonly Case[];
}

/** Of each that are kept; the oldest are let go. */
const keptMax = 10_000;

/**
 * Findings and cases of records that the spool refused, for the next record: a resend does not bring them again, as its
 * spans were counted already.
 */
export class Refused {
  readonly #findings = new Map<string, Finding>();
  readonly #cases = new Map<string, Case>();

  get isEmpty(): boolean {
    return this.#findings.size === 0 && this.#cases.size === 0;
  }

  keep({ findings, cases }: Found): void {
    keep(this.#findings, findings, versionOf);
    keep(this.#cases, cases, ({ version }) => version);
  }

  /** What was found, before it what was kept and is not newer now. */
  with({ findings, cases }: Found): Found {
    return { findings: taken(this.#findings, findings), cases: taken(this.#cases, cases) };
  }
}

function keep<T extends { readonly id: string }>(
  kept: Map<string, T>,
  items: readonly T[],
  version: (item: T) => bigint,
): void {
  for (const item of items) {
    const newer = kept.get(item.id);
    if (newer === undefined || version(newer) < version(item)) kept.set(item.id, item);
    if (kept.size > keptMax) kept.delete(kept.keys().next().value!);
  }
}

function taken<T extends { readonly id: string }>(kept: Map<string, T>, items: readonly T[]): readonly T[] {
  if (kept.size === 0) return items;
  const newer = new Set(items.map(({ id }) => id));
  const all = [...[...kept.values()].filter(({ id }) => !newer.has(id)), ...items];
  kept.clear();
  return all;
}
