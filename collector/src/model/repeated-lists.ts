import { grownBytes } from './grown-bytes.ts';
import { GrownList } from './grown-list.ts';
import { limits } from './limits.ts';
import { type Remembered, SessionMemory, type SessionMemoryBounds } from './session-memory.ts';

/**
 * Attributes whose value may be a JSON list that calls of a model send again and again, or a JSON object with such a list under `messages`:
 * messages, as the semantic conventions and other emitters name them, definitions of tools, and requests as they went to the model.
 */
export const listAttributes: readonly string[] = [
  'gen_ai.input.messages',
  'gen_ai.tool.definitions',
  'ai.prompt.messages',
  'input.value',
  'mastra.model_step.input',
  'pydantic_ai.all_messages',
  'ai.prompt',
  'gen_ai.prompt',
  'haystack.component.input',
  'langfuse.observation.input',
  'mastra.model_generation.input',
  'traceloop.entity.input',
];

/**
 * Lists of the same kinds that emitters spread over attributes `<name>.<number>.<key>`: messages and definitions of tools as OpenInference,
 * OpenLLMetry and the older semantic conventions have them.
 */
export const keyedLists: readonly string[] = [
  'llm.input_messages',
  'llm.tools',
  'llm.prompts',
  'gen_ai.prompt',
  'llm.request.functions',
];

/** Where an attribute stands in a keyed list. */
export interface KeyedPlace {
  readonly list: string;
  readonly number: number;
  readonly key: string;
}

/** The place that the name of an attribute says; undefined for other names, and for numbers and keys that no emitter writes. */
export function keyedPlace(name: string): KeyedPlace | undefined {
  const [, list, number, key] = keyedName.exec(name) ?? [];
  return list === undefined ? undefined : { list, number: Number(number), key: key! };
}

const keyedName = new RegExp(
  `^(${keyedLists.join('|').replaceAll('.', '\\.')})\\.(0|[1-9][0-9]{0,3})\\.([ !#-[\\]-~]+)$`,
);

export interface RepeatedListsBounds extends SessionMemoryBounds {
  readonly listBytesMax: number;
}

/** What was read of a piece of a list: so many members of it, and what they gave. */
export interface ReadPiece<T> {
  readonly members: number;
  readonly items: readonly T[];
}

export interface RepeatedListsOptions<T> {
  /**
   * Reads the members in `bytes[from, end)`: a whole list, or what stands behind the members that are known, from the comma to the
   * bracket. Undefined when that is not what it is.
   */
  read(bytes: Buffer, from: number, end: number, known: number): ReadPiece<T> | undefined;
  /** About what items take beside the bytes they were read from. */
  weightOf(items: readonly T[]): number;
  readonly membersMax: number;
  readonly bounds?: Partial<RepeatedListsBounds>;
}

/** A list as a call sends it. */
export interface SentList<T> {
  /** Its first items are those of the call: the next one may add to it. */
  readonly list: GrownList<T>;
  /** How many bytes it has without the bracket at its end, and white space before that; so many of them came before. */
  readonly length: number;
  readonly known: number;
}

/** The same for whoever keeps it. */
export interface FoundList<T> extends SentList<T> {
  readonly kept: Kept<T>;
}

/** A list that came, without the bracket at its end. */
interface Kept<T> extends Remembered {
  bytes: Buffer;
  length: number;
  /** The bytes that were read: so many members. */
  read: number;
  members: number;
  readonly list: GrownList<T>;
}

/**
 * Calls of a model repeat the conversation. A JSON list that begins, byte for byte, like one that came before in the same session
 * is not read again: the items of the beginning are the same objects as then, and only what stands behind is read. A list that is
 * forgotten, or that another call began differently, is read as a whole.
 */
export class RepeatedLists<T> {
  readonly #memory: SessionMemory<Kept<T>>;
  readonly #options: RepeatedListsOptions<T>;
  readonly #listBytesMax: number;

  constructor(options: RepeatedListsOptions<T>) {
    this.#options = options;
    this.#memory = new SessionMemory(options.bounds);
    this.#listBytesMax = options.bounds?.listBytesMax ?? limits.repeatedListBytesMax;
  }

  /** About what is kept, in bytes. */
  get weight(): number {
    return this.#memory.weight;
  }

  /** The list that the JSON text `bytes[start, end)` may be, of which nothing is read yet; undefined when it is none. */
  find(session: string, bytes: Buffer, start: number, end: number): FoundList<T> | undefined {
    const stop = end - 1;
    if (end - start > this.#listBytesMax || bytes[start] !== open || bytes[stop] !== close) return undefined;
    let last = stop;
    while (last > start && isSpace(bytes[last - 1]!)) last--;
    const lists = this.#memory.of(session);
    const kept = longest(lists, bytes, start, last) ?? this.#empty();
    const known = kept.length;
    this.#memory.weigh(kept, grow(kept, bytes, start, last));
    this.#memory.keep(session, kept);
    return { kept, list: kept.list, length: last - start, known };
  }

  /**
   * Reads what no call has read of a list that was found in `bytes[start, end)`. Undefined when it is none that can be read, or was read
   * further for another call; otherwise the items of the list are those of the call.
   */
  read({ kept, list, length }: FoundList<T>, bytes: Buffer, start: number, end: number): GrownList<T> | undefined {
    if (kept.read > length) return undefined;
    const from = start + kept.read;
    const added = kept.read === length ? nothing : this.#options.read(bytes, from, end, kept.read);
    if (added === undefined || added.members + kept.members > this.#options.membersMax) return undefined;
    for (const item of added.items) list.items.push(item);
    kept.members += added.members;
    kept.read = length;
    this.#memory.weigh(kept, this.#options.weightOf(added.items));
    this.#memory.fit();
    return list;
  }

  /**
   * How many of the bytes from `start` on are a list of the session that was read before, without its bracket at the end; 0 when they are
   * none. For who has to find out where a list ends: no text and no list within it is open there.
   */
  known(session: string, bytes: Buffer, start: number, end: number): number {
    let best = 0;
    for (const { bytes: kept, read } of this.#memory.of(session)) {
      if (read <= best || start + read >= end) continue;
      if (bytes.compare(kept, 0, read, start, start + read) === 0) best = read;
    }
    return best;
  }

  #empty(): Kept<T> {
    const kept: Kept<T> = {
      ...{ bytes: Buffer.alloc(0), length: 0, read: 0, members: 0, weight: 0, isForgotten: false },
      list: new GrownList<T>((bytes) => this.#memory.weigh(kept, bytes)),
    };
    return kept;
  }
}

const nothing = { members: 0, items: [] } as const;

/** Most lists go on beyond it. */
const listBytesMin = 512;

/** Copies what is new; says how much larger the list has become, with the texts that were read from it. */
function grow(kept: Kept<unknown>, bytes: Buffer, start: number, last: number): number {
  const length = last - start;
  const added = length - kept.length;
  const room = kept.bytes.length;
  kept.bytes = grownBytes(kept.bytes, kept.length, length, listBytesMin);
  bytes.copy(kept.bytes, kept.length, start + kept.length, last);
  kept.length = length;
  return added + kept.bytes.length - room;
}

/** The longest list that `bytes[start, last)` is or goes on with. */
function longest<T>(lists: readonly Kept<T>[], bytes: Buffer, start: number, last: number): Kept<T> | undefined {
  let best: Kept<T> | undefined;
  for (const each of lists) {
    const end = start + each.length;
    if (end > last || (end < last && bytes[end] !== comma) || each.length <= (best?.length ?? 0)) continue;
    if (bytes.compare(each.bytes, 0, each.length, start, end) === 0) best = each;
  }
  return best;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

const open = 0x5b;
const close = 0x5d;
const comma = 0x2c;
