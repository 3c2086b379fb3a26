import { slicesOf, stepsInTurn, stepsOf } from '../slices.ts';
import type { Slices } from '../state.ts';
import type { CorrelationEvent } from './event.ts';
import type { CorrelationEvaluator } from './kind.ts';
import { decodeStates, StateEncoder } from './snapshot.ts';
import type { SavedSources } from './sources.ts';

export interface SavedCorrelator {
  readonly sources: SavedSources;
  readonly watermark: bigint;
  /** What each rule wrote. */
  readonly rules: readonly { readonly id: string; readonly version: string; readonly items: readonly unknown[] }[];
  readonly waiting: readonly WaitingBlock[];
  /** Events that wait, as an earlier version wrote them. */
  readonly events: readonly CorrelationEvent[];
}

/** A block of the log, and where the events begin in it that wait. */
export interface WaitingBlock {
  readonly bytes: Uint8Array;
  readonly at: readonly number[];
}

interface Head extends Pick<SavedCorrelator, 'sources' | 'watermark'> {
  readonly format: number;
  readonly rules: readonly { readonly id: string; readonly version: string }[];
}

/** What comes after the head: an item of the rule at this place, or waiting events. */
type Item = readonly [place: number, item: unknown];

const format = 6;
/** Its waiting events stand for themselves. */
const formatBefore = 5;
const waitingPlace = -1;

/** The state of this moment in pieces. */
export function slicesOfCorrelator(
  state: Pick<SavedCorrelator, 'sources' | 'watermark' | 'waiting'>,
  evaluators: readonly CorrelationEvaluator[],
  pieceBytes: number | undefined,
): Slices {
  const { sources, watermark } = state;
  const encoder = new StateEncoder();
  const rules = evaluators.map(({ correlation: { meta } }) => ({ id: meta.id, version: meta.version }));
  encoder.write({ format, sources, watermark, rules } satisfies Head);
  const writeTo = (place: number) => (item: unknown) => encoder.write([place, item] satisfies Item);
  const steps = evaluators.map((evaluator, place) => evaluator.save(writeTo(place)));
  const waiting = stepsOf(state.waiting, writeTo(waitingPlace));
  return slicesOf(encoder, stepsInTurn([...steps, waiting]), pieceBytes);
}

/** Undefined for bytes that are no snapshot of this format. */
export function readCorrelator(bytes: Uint8Array): SavedCorrelator | undefined {
  try {
    const values = decodeStates(bytes);
    const head = values.next().value as Head;
    if (head.format !== format && head.format !== formatBefore) return undefined;
    const rules = head.rules.map(({ id, version }) => ({ id, version, items: [] as unknown[] }));
    const waiting: WaitingBlock[] = [];
    const events: CorrelationEvent[] = [];
    for (const value of values) {
      const [place, item] = value as Item;
      if (place === waitingPlace && head.format === format) waiting.push(item as WaitingBlock);
      else if (place === waitingPlace) events.push(item as CorrelationEvent);
      else rules[place]!.items.push(item);
    }
    return { sources: head.sources, watermark: head.watermark, rules, waiting, events };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}
