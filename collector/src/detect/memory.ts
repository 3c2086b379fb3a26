import { StateReader, StateWriter } from './correlate/state-bytes.ts';
import { sliceOf, wholeOf } from './slices.ts';
import type { RestoreOutcome, Slices, Stateful } from './state.ts';

export interface Memory extends Omit<Stateful, 'takeOver'> {
  dropJournal(): void;
  slices(pieceBytes?: number): Slices;
  /** `unreadable` names parts whose section could not be taken over; they begin anew. */
  restore(snapshot: Uint8Array): MemoryOutcome;
  /** Goes on with an earlier memory, part by part: as it stands where a part can, else by a snapshot. */
  takeOver(earlier: Memory): MemoryOutcome;
  readonly parts: ReadonlyMap<string, Stateful>;
}

export type MemoryOutcome = RestoreOutcome & { readonly unreadable?: readonly string[] };

/**
 * Parts with a memory as one: its journal and its snapshot have a section for each part, found by the part's name, which
 * therefore never changes. Sections of parts that are not there are skipped. In a snapshot a part has as many sections as
 * it has pieces.
 */
export function createMemory(parts: Readonly<Record<string, Stateful>>): Memory {
  const named = new Map(Object.entries(parts));
  return {
    takeJournal: () => sectionsOf(named, (part) => part.takeJournal()),
    dropJournal: () => {
      for (const part of named.values()) {
        if (part.dropJournal) part.dropJournal();
        else part.takeJournal();
      }
    },
    replay: (journal) => {
      let failure: unknown;
      for (const [name, bytes] of readSections(journal)) {
        // One part's trouble must not cost the others what they took in.
        try {
          named.get(name)?.replay(bytes);
        } catch (error) {
          failure ??= error;
        }
      }
      if (failure !== undefined) throw failure;
    },
    snapshot: () => wholeOf(slicesOf(named)),
    slices: (pieceBytes) => slicesOf(named, pieceBytes),
    restore: (snapshot) => {
      const sections = trySections(snapshot, snapshotTitle);
      if (sections === undefined) return { status: 'unreadable' };
      const unreadable: string[] = [];
      let rules = 0;
      for (const [name, bytes] of joined(sections)) {
        const outcome = named.get(name)?.restore(bytes);
        if (outcome?.status === 'restored') rules += outcome.rules;
        else if (outcome) unreadable.push(name);
      }
      return { status: 'restored', rules, ...(unreadable.length > 0 && { unreadable }) };
    },
    takeOver: (earlier) => {
      let rules = 0;
      const unreadable: string[] = [];
      for (const [name, part] of named) {
        const before = earlier.parts.get(name);
        const outcome = before && (part.takeOver?.(before) ?? part.restore(before.snapshot()));
        if (outcome?.status === 'restored') rules += outcome.rules;
        else if (outcome) unreadable.push(name);
      }
      return { status: 'restored', rules, ...(unreadable.length > 0 && { unreadable }) };
    },
    parts: named,
  };
}

/** What a snapshot begins with. */
const snapshotTitle = 'spanwarden memory 1';

/** Sections that have something in them; no bytes at all when none has. */
function sectionsOf(parts: ReadonlyMap<string, Stateful>, take: (part: Stateful) => Uint8Array): Uint8Array {
  const writer = new StateWriter();
  for (const [name, part] of parts) {
    const bytes = take(part);
    if (bytes.length === 0) continue;
    writer.text(name);
    writer.bytes(bytes);
  }
  return writer.done();
}

function slicesOf(parts: ReadonlyMap<string, Stateful>, pieceBytes?: number): Slices {
  // All begin now, so that they are of one moment.
  const all = [...parts].map(([name, part]) => [name, part.slices?.(pieceBytes) ?? sliceOf(part.snapshot())] as const);
  const left = [...all];
  let isTitled = false;
  let isCancelled = false;
  return {
    next: () => {
      if (isCancelled) return undefined;
      const writer = new StateWriter();
      if (!isTitled) {
        isTitled = true;
        writer.text(snapshotTitle);
        return writer.done();
      }
      if (left.length === 0) return undefined;
      const [name, slices] = left[0]!;
      const piece = slices.next();
      if (piece === undefined) left.shift();
      else if (piece.length > 0) {
        writer.text(name);
        writer.bytes(piece);
      }
      return writer.done();
    },
    cancel: () => {
      // Also where the rest of it is small and would be given whole.
      isCancelled ||= left.length > 0;
      for (const [, slices] of left) slices.cancel();
    },
    get isCut() {
      return isCancelled || all.some(([, { isCut }]) => isCut);
    },
  };
}

/** The pieces of each part as one. */
function joined(sections: readonly Section[]): Map<string, Uint8Array> {
  const pieces = new Map<string, Uint8Array[]>();
  for (const [name, bytes] of sections) {
    const known = pieces.get(name);
    if (known) known.push(bytes);
    else pieces.set(name, [bytes]);
  }
  return new Map([...pieces].map(([name, list]) => [name, list.length === 1 ? list[0]! : Buffer.concat(list)]));
}

/** Throws a SyntaxError on bytes that are no sections. Two journals one after the other are a journal. */
function readSections(bytes: Uint8Array, title?: string): Section[] {
  const reader = new StateReader(bytes);
  if (title !== undefined && reader.text() !== title) throw new SyntaxError('the title is missing');
  const sections: Section[] = [];
  while (!reader.atEnd) sections.push([reader.text(), reader.bytes()]);
  return sections;
}

type Section = readonly [name: string, bytes: Uint8Array];

function trySections(bytes: Uint8Array, title: string): Section[] | undefined {
  try {
    return readSections(bytes, title);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
