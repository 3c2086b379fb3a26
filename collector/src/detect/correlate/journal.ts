import { createHash } from 'node:crypto';
import type { Correlation } from './correlation.ts';
import type { CorrelationEvent } from './event.ts';
import { decodeState, encodeState } from './snapshot.ts';

/** What the correlator was told, in the order in which it was told. */
export type CorrelationCall =
  | { readonly call: 'add'; readonly event: CorrelationEvent; readonly nowNanos: bigint | undefined }
  | {
      readonly call: 'observe';
      readonly source: string;
      readonly endNanos: bigint;
      readonly nowNanos: bigint | undefined;
    }
  /** With the settling after it. */
  | { readonly call: 'advance'; readonly eventNanos: bigint }
  | { readonly call: 'settle' | 'flush' };

/**
 * Notes what correlations are told. Events name correlations by their place; in the journal they name them by a digest of id
 * and version, so that a start with other rules takes in again what still fits.
 */
export class CorrelationJournal {
  readonly #digests: readonly string[];
  #calls: CorrelationCall[] = [];

  constructor(correlations: readonly Correlation[]) {
    this.#digests = correlations.map(({ meta }) => digestOf(meta.id, meta.version));
  }

  /** One advance after the other is as good as the last of them: this is all that happens while no span comes. */
  note(call: CorrelationCall): void {
    if (call.call === 'advance' && this.#calls.at(-1)?.call === 'advance') this.#calls.pop();
    this.#calls.push(call);
  }

  drop(): void {
    this.#calls = [];
  }

  /** What was noted since the last call; empty when nothing was. */
  take(): Uint8Array {
    if (this.#calls.length === 0) return new Uint8Array();
    const rules: string[] = [];
    const places = new Map<number, number>();
    const placeOf = (correlation: number): number => {
      const place = places.get(correlation) ?? rules.push(this.#digests[correlation]!) - 1;
      places.set(correlation, place);
      return place;
    };
    const calls = this.#calls.map((call): CorrelationCall => {
      if (call.call !== 'add') return call;
      const parts = call.event.parts.map((part) => ({ ...part, correlation: placeOf(part.correlation) }));
      return { ...call, event: { ...call.event, parts } };
    });
    this.#calls = [];
    return encodeState({ rules, calls } satisfies Written);
  }

  /** The calls in a journal, without what belongs to rules that are not there. Throws a SyntaxError on other bytes. */
  read(journal: Uint8Array): CorrelationCall[] {
    if (journal.length === 0) return [];
    const { rules, calls } = decodeState(journal) as Written;
    const places = rules.map((digest) => this.#digests.indexOf(digest));
    return calls.flatMap((call): CorrelationCall[] => {
      if (call.call !== 'add') return [call];
      const parts = call.event.parts
        .map((part) => ({ ...part, correlation: places[part.correlation]! }))
        .filter(({ correlation }) => correlation >= 0)
        .sort((a, b) => a.correlation - b.correlation);
      return parts.length > 0 ? [{ ...call, event: { ...call.event, parts } }] : [];
    });
  }
}

interface Written {
  readonly rules: readonly string[];
  readonly calls: readonly CorrelationCall[];
}

/** A rule by id and version, as journals name it. */
export function digestOf(id: string, version: string): string {
  return createHash('sha256')
    .update(JSON.stringify([id, version]))
    .digest('hex')
    .slice(0, 16);
}
