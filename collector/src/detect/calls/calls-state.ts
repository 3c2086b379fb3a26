import { StateReader, StateWriter } from '../correlate/state-bytes.ts';
import { slicesOf } from '../slices.ts';
import type { Slices } from '../state.ts';
import { type CallView, viewKinds } from './view.ts';
import { decodedView } from './view-codec.ts';
import type { Keeping, ViewStore } from './view-store.ts';

const title = 'spanwarden calls 3';

export interface CallsState {
  readonly newest: bigint;
  readonly looked: bigint;
  readonly senders: readonly string[];
  readonly innerScopes: readonly string[];
  readonly kept: readonly Keeping[];
}

/** The views of this moment, in pieces. */
export function writeState(
  { newest, looked, senders, innerScopes }: Omit<CallsState, 'kept'>,
  store: ViewStore,
  pieceBytes?: number,
): Slices {
  const writer = new StateWriter();
  writer.text(title);
  writer.bigint64(newest);
  writer.bigint64(looked);
  for (const names of [senders, innerScopes]) {
    writer.varint(names.length);
    for (const name of names) writer.text(name);
  }
  const steps = store.scan(({ number, isPending, claimed, view }) => {
    writer.varint(number);
    writer.byte(isPending ? 1 : 0);
    writer.varint(claimed.length);
    for (const kind of claimed) writer.byte(viewKinds.indexOf(kind));
    writer.bytes(view.bytes);
  });
  return slicesOf(writer, steps, pieceBytes);
}

/** Undefined for bytes of another format. */
export function readState(bytes: Uint8Array): CallsState | undefined {
  try {
    const reader = new StateReader(bytes);
    if (reader.text() !== title) return undefined;
    const newest = reader.biguint64();
    const looked = reader.biguint64();
    const [senders, innerScopes] = [namesIn(reader), namesIn(reader)];
    const kept: (Keeping & { readonly number: number })[] = [];
    while (!reader.atEnd) {
      const number = reader.varint();
      const isPending = reader.byte() === 1;
      const claimed = Array.from({ length: reader.count() }, () => viewKinds[reader.byte()]!);
      kept.push({ number, isPending, claimed, view: decodedView(reader.bytes()) });
    }
    return { newest, looked, senders, innerScopes, kept: kept.sort((a, b) => a.number - b.number) };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function namesIn(reader: StateReader): string[] {
  return Array.from({ length: reader.count() }, () => reader.text());
}

const entries = { view: 1, time: 2, flush: 3 } as const;

/** What was taken in since the journal was taken. */
export class CallsJournal {
  readonly #writer = new StateWriter();

  view({ bytes }: CallView): void {
    this.#writer.byte(entries.view);
    this.#writer.bytes(bytes);
  }

  time(nanos: bigint): void {
    this.#writer.byte(entries.time);
    this.#writer.bigint64(nanos);
  }

  flush(): void {
    this.#writer.byte(entries.flush);
  }

  take(): Uint8Array {
    return this.#writer.length === 0 ? empty : this.#writer.take();
  }

  drop(): void {
    this.#writer.length = 0;
  }
}

/** Throws a SyntaxError on bytes that are no journal. */
export function readJournal(
  journal: Uint8Array,
  to: { view: (view: CallView) => unknown; time: (nanos: bigint) => void; flush: () => void },
): void {
  const reader = new StateReader(journal);
  while (!reader.atEnd) {
    const entry = reader.byte();
    if (entry === entries.view) to.view(decodedView(reader.bytes()));
    else if (entry === entries.time) to.time(reader.biguint64());
    else if (entry === entries.flush) to.flush();
    else throw new SyntaxError('no kind of entry');
  }
}

const empty = new Uint8Array(0);
