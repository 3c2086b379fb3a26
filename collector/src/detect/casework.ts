import type { Case } from '../model/case.ts';
import type { FieldTable } from '../model/fields.ts';
import type { Finding } from '../model/finding.ts';
import type { SpanEvents } from '../model/span-events.ts';
import { Casebook } from './cases/casebook.ts';
import { chainOf } from './cases/sighting.ts';
import { createTieReader } from './cases/ties.ts';
import { Repeats } from './repeats/repeats.ts';

export interface CaseworkOptions {
  readonly fields: FieldTable;
  readonly allowedLatenessNanos: bigint;
}

/** What comes after the rules: repeats of a match become one finding, findings of one causal chain become cases. */
export interface Casework {
  /** The findings to store of those that the rules gave for a batch. Event time has come as far as `eventNanos`. */
  take(events: SpanEvents, found: readonly Finding[], eventNanos: bigint, nowNanos?: bigint): Finding[];
  /** Takes what correlations found since; gives it and repeats whose time has come. */
  advance(found: readonly Finding[], eventNanos: bigint): Finding[];
  /** The same with everything that waits. */
  flush(found: readonly Finding[]): Finding[];
  /** The cases that changed since the last call, for the record that holds their findings. */
  takeCases(): Case[];
  /** They could not be stored: they come again. */
  refused(cases: readonly Case[]): void;
  readonly newestNanos: bigint;
  /** The parts with a memory, for checkpoints. */
  readonly repeats: Repeats;
  readonly casebook: Casebook;
}

export function createCasework({ fields, allowedLatenessNanos }: CaseworkOptions): Casework {
  const repeats = new Repeats({ allowedLatenessNanos });
  const casebook = new Casebook();
  const tiesOf = createTieReader(fields);
  /** By id, newest last; nothing of it outlives the call that makes the next record. */
  const changed = new Map<string, Case>();
  const note = (cases: readonly Case[]): void => {
    for (const each of cases) changed.set(each.id, each);
  };
  const chained = (findings: readonly Finding[]): Finding[] =>
    findings.map((finding) => ({ ...finding, chainId: chainOf(finding).id }));
  return {
    repeats,
    casebook,
    take: (events, found, eventNanos, nowNanos) => {
      const findings = chained(repeats.take(found, eventNanos, nowNanos));
      note(casebook.take(findings, tiesOf(events), repeats.newestNanos));
      return findings;
    },
    advance: (found, eventNanos) => {
      const findings = chained([...found, ...repeats.advance(eventNanos)]);
      note(casebook.take(findings, [], eventNanos));
      return findings;
    },
    flush: (found) => {
      const findings = chained([...found, ...repeats.flush()]);
      note(casebook.take(findings));
      note(casebook.flush());
      return findings;
    },
    takeCases: () => {
      const cases = [...changed.values()];
      changed.clear();
      return cases;
    },
    refused: (cases) => casebook.again(cases),
    get newestNanos() {
      return repeats.newestNanos;
    },
  };
}
