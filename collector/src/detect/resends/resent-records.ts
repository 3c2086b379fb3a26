import type { Outcome } from '../../model/outcome.ts';
import { StateReader, StateWriter } from '../correlate/state-bytes.ts';
import { type Steps, slicesOf, wholeOf } from '../slices.ts';
import type { RestoreOutcome, Slices, Stateful } from '../state.ts';
import { ContentHash, factorsCount, factorsOf } from './content-hash.ts';
import type { RecordKind } from './contents.ts';
import { KeyRing } from './key-ring.ts';

/**
 * What became of the records of one batch. Those that were new are known from then on; whoever stores them says what comes of it, and it is as
 * if they had never come when they were refused.
 */
export interface Sift {
  /** Records that were left out. */
  readonly resent: number;
  /** Some of them came in batches that are not on disk yet: what becomes of these. */
  readonly earlier: readonly Promise<Outcome>[];
  /** What is left is on its way to disk. To be said before the next batch comes. */
  underWay(outcome: Promise<Outcome>): void;
  /** It is on disk, or was refused. Only the first call counts. */
  settle(isStored: boolean): void;
  readonly isSettled: boolean;
}

/**
 * Recognises records of one signal that came before, in whatever batch: by all that `contents.ts` takes of them, so that the same span with
 * other content is another one. Where equal ones in a batch are several, the second of a batch is known when a second one came before.
 *
 * That a record is known must never be true without it on disk, or nobody would store it: what is noted goes to disk together with the
 * record, and where that is refused, what takes the note back goes along with the note the next time.
 */
export class ResentRecords<Batch> implements Stateful {
  readonly #kind: RecordKind<Batch>;
  readonly #recordsMax: number;
  readonly #randomWord: () => number;
  #factors: Int32Array;
  #hash: ContentHash;
  #ring: KeyRing;
  #underWay: SiftOf[] = [];
  readonly #journal = new StateWriter();

  /** @param randomWord gives 32 bits that nobody can foresee */
  constructor(kind: RecordKind<Batch>, recordsMax: number, randomWord: () => number) {
    this.#kind = kind;
    this.#recordsMax = recordsMax;
    this.#randomWord = randomWord;
    this.#factors = factorsOf(randomWord);
    this.#hash = new ContentHash(this.#factors);
    this.#ring = new KeyRing(recordsMax);
  }

  /** Records that would be recognised. */
  get size(): number {
    return this.#ring.size;
  }

  /** Takes records that are known out of the batch. */
  sift(batch: Batch): Sift {
    const ring = this.#ring;
    const hash = this.#hash;
    const contents = this.#kind.contentsOf(batch, hash);
    const { count } = contents;
    const sift = new SiftOf(ring.added, count, (keys) => this.#settled(sift, keys));
    const equals = this.#kind.areEqualsSeveral ? new Map<number, number>() : undefined;
    let isOut: Uint8Array | undefined;
    for (let record = 0; record < count; record++) {
      if (!contents.hash(record)) continue;
      let known = ring.find(hash.high, hash.low);
      if (known >= 0 && equals !== undefined) known = this.#findNext(known, equals, sift.first);
      if (known >= 0) {
        isOut ??= new Uint8Array(count);
        isOut[record] = 1;
        sift.leaveOut(this.#recordOf(known));
      } else {
        ring.add(hash.high, hash.low);
        sift.note(hash.high, hash.low);
      }
    }
    if (isOut !== undefined) contents.leaveOut(isOut);
    if (sift.keys.length > 0) {
      this.#write(noted, sift.keys);
      this.#underWay.push(sift);
    }
    return sift;
  }

  /** Records of before are unknown: what is known of them may not hold. */
  forget(): void {
    this.#begin(factorsOf(this.#randomWord));
  }

  takeJournal(): Uint8Array {
    return this.#journal.length === 0 ? nothing : this.#journal.take();
  }

  dropJournal(): void {
    this.#journal.length = 0;
  }

  replay(journal: Uint8Array): void {
    if (journal.length === 0) return;
    const reader = new StateReader(journal);
    this.#takeOver(Int32Array.from({ length: factorsCount }, () => reader.uint32() | 0));
    while (!reader.atEnd) {
      const kind = reader.byte();
      const keys = wordsOf(reader.bytes());
      for (let at = 0; at < keys.length; at += 2) {
        this.#ring.delete(keys[at]!, keys[at + 1]!);
        if (kind === noted) this.#ring.add(keys[at]!, keys[at + 1]!);
      }
    }
  }

  snapshot(): Uint8Array {
    return wholeOf(this.slices());
  }

  slices(pieceBytes?: number): Slices {
    const writer = new StateWriter();
    writer.byte(snapshotFormat);
    for (const factor of this.#factors) writer.uint32(factor);
    return slicesOf(writer, copying(this.#ring, writer), pieceBytes);
  }

  restore(snapshot: Uint8Array): RestoreOutcome {
    try {
      const reader = new StateReader(snapshot);
      if (reader.byte() !== snapshotFormat) return { status: 'unreadable' };
      const factors = Int32Array.from({ length: factorsCount }, () => reader.uint32() | 0);
      const keys = wordsOf(new Uint8Array(snapshot.subarray(reader.at)));
      this.#begin(factors);
      for (let at = 0; at < keys.length; at += 2) this.#ring.add(keys[at]!, keys[at + 1]!);
      return { status: 'restored', rules: 0 };
    } catch (error) {
      if (error instanceof SyntaxError) return { status: 'unreadable' };
      throw error;
    }
  }

  /**
   * Of a record that is known by its content: the number of the key for the one of its equals in this batch that it is, and -1 where so
   * many have not come before. The hash is of that key then.
   */
  #findNext(known: number, equals: Map<number, number>, first: number): number {
    const before = equals.get(known) ?? (known >= first ? 1 : 0);
    equals.set(known, before + 1);
    if (before === 0) return known;
    this.#hash.addWord(before);
    return this.#ring.find(this.#hash.high, this.#hash.low);
  }

  /** The batch under way that a key came with; undefined for one that has landed. */
  #recordOf(number: number): SiftOf | undefined {
    const oldest = this.#underWay[0];
    if (oldest === undefined || number < oldest.first) return undefined;
    return this.#underWay.find(({ first, end }) => first <= number && number < end);
  }

  #settled(sift: SiftOf, refused: Int32Array): void {
    const at = this.#underWay.indexOf(sift);
    if (at >= 0) this.#underWay.splice(at, 1);
    if (refused.length === 0) return;
    for (let i = 0; i < refused.length; i += 2) this.#ring.delete(refused[i]!, refused[i + 1]!);
    this.#write(forgotten, refused);
  }

  #write(kind: number, keys: Int32Array): void {
    if (this.#journal.length === 0) for (const factor of this.#factors) this.#journal.uint32(factor);
    this.#journal.byte(kind);
    this.#journal.bytes(new Uint8Array(keys.buffer, keys.byteOffset, keys.byteLength));
  }

  #takeOver(factors: Int32Array): void {
    if (factors.some((factor, index) => factor !== this.#factors[index])) this.#begin(factors);
  }

  #begin(factors: Int32Array): void {
    this.#factors = factors;
    this.#hash = new ContentHash(factors);
    this.#ring = new KeyRing(this.#recordsMax);
    this.#underWay = [];
    this.#journal.length = 0;
  }
}

/** Kinds of entries in the journal: keys that are known, and keys that are not any more. */
const noted = 1;
const forgotten = 2;
const snapshotFormat = 1;
const nothing = new Uint8Array();

class SiftOf implements Sift {
  resent = 0;
  /** Numbers of the keys that were noted, in the ring. */
  readonly first: number;
  readonly #earlier = new Set<SiftOf>();
  readonly #keys: Int32Array;
  #noted = 0;
  #outcome: Promise<Outcome> | undefined;
  isSettled = false;
  readonly #settled: (refused: Int32Array) => void;

  constructor(first: number, records: number, settled: (refused: Int32Array) => void) {
    this.first = first;
    this.#keys = new Int32Array(records * 2);
    this.#settled = settled;
  }

  get end(): number {
    return this.first + this.#noted;
  }

  get keys(): Int32Array {
    return this.#keys.subarray(0, this.#noted * 2);
  }

  get earlier(): readonly Promise<Outcome>[] {
    return [...this.#earlier].flatMap((sift) => sift.#outcome ?? []);
  }

  note(high: number, low: number): void {
    this.#keys[this.#noted * 2] = high;
    this.#keys[this.#noted * 2 + 1] = low;
    this.#noted++;
  }

  leaveOut(known: SiftOf | undefined): void {
    this.resent++;
    if (known !== undefined) this.#earlier.add(known);
  }

  underWay(outcome: Promise<Outcome>): void {
    this.#outcome = outcome;
  }

  settle(isStored: boolean): void {
    if (this.isSettled) return;
    this.isSettled = true;
    this.#settled(isStored ? this.keys.subarray(0, 0) : this.keys);
  }
}

/** Copies the keys of now to a writer, some at a time. */
function copying(ring: KeyRing, writer: StateWriter): Steps {
  let isLeft = true;
  const walk = ring.walk();
  const write = (high: number, low: number): void => {
    writer.uint32(high);
    writer.uint32(low);
  };
  return {
    step: (isEnough) => {
      while (isLeft && !isEnough()) isLeft = walk(write);
      return isLeft;
    },
    cancel: () => {
      isLeft = false;
    },
    isCut: false,
  };
}

/** Keys as they were written: little-endian, like every machine that Node runs on here. Throws a SyntaxError for half a key. */
function wordsOf(bytes: Uint8Array): Int32Array {
  if (bytes.length % 8 !== 0) throw new SyntaxError('a key is cut off');
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}
