import type { FieldTable } from '../../model/fields.ts';
import type { Decisions } from './decisions.ts';
import { type EntryVisitor, type ReadSpan, type ReadWaiting, readEntries } from './entry-reader.ts';
import type { KeptFields } from './kept.ts';
import type { Programs } from './program.ts';
import { noSlot } from './span-table.ts';
import type { TraceStore } from './traces.ts';
import { Waiting } from './waiting.ts';
import type { SpanWords } from './words.ts';

/** What is filled again. */
export interface Refilled {
  readonly programs: Programs;
  readonly fields: FieldTable;
  readonly store: TraceStore;
  readonly decisions: Decisions;
}

/** What happened, to happen again. */
export interface Replayed {
  take(words: SpanWords, fields: KeptFields): void;
  /** Bounds were kept. */
  part(): void;
  time(newestNanos: bigint): void;
  flush(): void;
}

/** Does again what a journal tells. Throws a SyntaxError on bytes that are none. */
export function replayEntries(journal: Uint8Array, into: Refilled, events: Replayed): void {
  const chains = createChains(into);
  try {
    readEntries(journal, 'journal', optionsOf(into), {
      ...chains.visitor,
      span: ({ words, fields }) => events.take(words, fields),
      turn: () => {},
      part: () => events.part(),
      time: (nanos) => events.time(nanos),
      flush: () => events.flush(),
    });
  } finally {
    chains.done();
  }
}

/** Whether bytes are a snapshot, from the first to the last. */
export function isReadable(snapshot: Uint8Array, into: Refilled): boolean {
  const nothing = () => {};
  const visitor = {
    span: nothing,
    hidden: nothing,
    waiting: nothing,
    turn: nothing,
    part: nothing,
    time: nothing,
    flush: nothing,
  };
  try {
    readEntries(snapshot, 'snapshot', optionsOf(into), visitor);
    return true;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError) return false;
    throw error;
  }
}

/** Fills what is empty from a readable snapshot; returns how many of its rules are there. */
export function restoreEntries(snapshot: Uint8Array, into: Refilled, onTime: (newestNanos: bigint) => void): number {
  const { store } = into;
  const chains = createChains(into);
  const rules = readEntries(snapshot, 'snapshot', optionsOf(into), {
    ...chains.visitor,
    span: ({ words, fields }) => {
      store.add(store.touch(words), words, fields);
    },
    turn: (words, turn) => store.setTurn(words, turn),
    part: () => {},
    time: onTime,
    flush: () => {},
  });
  chains.done();
  store.putInOrder();
  return rules;
}

function optionsOf({ programs, fields, store: { interning } }: Refilled) {
  return { programs, fields, interning };
}

/** Spans that wait get the chain back that they had, with spans in it that are not kept any more. */
function createChains({ store, decisions }: Refilled) {
  const { table, interning } = store;
  const hidden: number[] = [];
  const visitor: Pick<EntryVisitor, 'hidden' | 'waiting'> = {
    hidden: ({ words, fields }: ReadSpan) => {
      const slot = table.insertHidden(words.idHigh, words.idLow);
      interning.use(fields);
      table.fill(slot, words, fields);
      table.hold(slot);
      hidden.push(slot);
    },
    waiting: ({ words, fields, isStuck, chain, identity, asks }: ReadWaiting) => {
      const waiting = new Waiting(store.at(words), words, fields, asks, -1);
      waiting.isStuck = isStuck;
      waiting.identity = identity;
      let { hasParent, parentHigh, parentLow } = words;
      for (const place of chain) {
        const slot = place === undefined ? table.find(waiting.trace.number, parentHigh, parentLow) : hidden[place]!;
        if (!hasParent || slot === noSlot || !table.isFilled(slot)) break;
        waiting.extend(table, slot);
        hasParent = table.hasParent(slot);
        parentHigh = table.parentHigh[slot]!;
        parentLow = table.parentLow[slot]!;
      }
      decisions.resume(waiting);
    },
  };
  // Until the end they are held here, so that every chain may name them.
  const done = (): void => {
    for (const slot of hidden) table.letGo(slot);
  };
  return { visitor, done };
}
