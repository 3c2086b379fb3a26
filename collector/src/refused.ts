import { type Case, inPlaceOf } from './model/case.ts';
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
    keep(this.#cases, cases, ({ version }) => version, inPlaceOf);
  }

  /** What was found, before it what was kept and is not newer now. */
  with({ findings, cases }: Found): Found {
    return { findings: taken(this.#findings, findings), cases: taken(this.#cases, cases, inPlaceOf) };
  }
}

/** What stands for two states of the same; the first was not stored, if there is one. */
type Joined<T> = (unseen: T | undefined, newer: T) => T;

function newest<T>(_: T | undefined, newer: T): T {
  return newer;
}

function keep<T extends { readonly id: string }>(
  kept: Map<string, T>,
  items: readonly T[],
  version: (item: T) => bigint,
  joined: Joined<T> = newest,
): void {
  for (const item of items) {
    const before = kept.get(item.id);
    const isNewer = before === undefined || version(before) < version(item);
    kept.set(item.id, isNewer ? joined(before, item) : joined(item, before));
    if (kept.size > keptMax) kept.delete(kept.keys().next().value!);
  }
}

function taken<T extends { readonly id: string }>(
  kept: Map<string, T>,
  items: readonly T[],
  joined: Joined<T> = newest,
): readonly T[] {
  if (kept.size === 0) return items;
  const newer = new Set(items.map(({ id }) => id));
  const others = [...kept.values()].filter(({ id }) => !newer.has(id));
  const all = [...others, ...items.map((item) => joined(kept.get(item.id), item))];
  kept.clear();
  return all;
}
