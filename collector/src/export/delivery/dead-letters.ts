import { limits } from '../../model/limits.ts';
import type { DeliveryFiles } from './files.ts';

export const deadLetterFile = 'dead-letter.ndjson';

/** An event that a receiver will never take. Only where it is to be found; its contents stand in ClickHouse. */
export interface DeadLetter {
  /** Of the event: the state of the finding or case. */
  readonly id: string;
  readonly kind: 'finding' | 'case' | 'request';
  /** Id of the finding or case, signal of the request. */
  readonly of: string;
  /** In the stream; -1 for what did not come from it. */
  readonly position: number;
  readonly reason: string;
  /** When it was refused, ISO 8601. */
  readonly time: string;
}

export interface DeadLetterOptions {
  readonly bytesMax: number;
  /** Whether lines that are no longer needed may be taken out: by the collector alone, while commands only add. */
  readonly mayCompact: boolean;
}

/** What stands in a file of dead letters. */
export interface DeadLetterReading {
  /** Oldest first; of each event the last line. */
  readonly letters: readonly DeadLetter[];
  /** Lines that are none, such as the torn last one after a crash. */
  readonly unreadable: number;
  readonly bytes: number;
}

/**
 * The dead letters of a destination: append-only NDJSON. A line is a letter, or `{"settled":[ids],"time":…}` for letters that were
 * delivered after all or given up. Commands may add lines while the collector runs; only the collector makes the file smaller.
 */
export class DeadLetters {
  readonly #files: DeliveryFiles;
  readonly #options: DeadLetterOptions;
  #bytes = 0;
  #count = 0;
  /** The file ends in the middle of a line. */
  #torn = false;
  /** One change of the file after the other: halves of lines must not meet. */
  #changing: Promise<unknown> = Promise.resolve();
  /** A compaction found that all lines are needed: it need not be tried for each letter. */
  #mayShrink = true;

  private constructor(files: DeliveryFiles, options: DeadLetterOptions) {
    this.#files = files;
    this.#options = options;
  }

  /** Rejects when the disk refuses. */
  static async open(files: DeliveryFiles, options: Partial<DeadLetterOptions> = {}): Promise<DeadLetters> {
    const { bytesMax = limits.exportDeadLetterBytesMax, mayCompact = false } = options;
    const letters = new DeadLetters(files, { bytesMax, mayCompact });
    const content = await files.read(deadLetterFile);
    if (content === undefined) return letters;
    const reading = parseDeadLetters(content);
    letters.#bytes = content.length;
    letters.#count = reading.letters.length;
    letters.#torn = content.length > 0 && content.at(-1) !== newline;
    if (mayCompact && content.length > bytesMax / 2) await letters.#compact();
    return letters;
  }

  /** Letters in the file, as far as this process knows. */
  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Makes letters durable and gives how many found no place. Rejects when the disk refuses; then none may be taken as noted. */
  add(letters: readonly DeadLetter[]): Promise<number> {
    return this.#inTurn(() => this.#add(letters));
  }

  /** Notes that letters are no longer any. */
  settle(ids: readonly string[], time: string): Promise<void> {
    return this.#inTurn(() => this.#settle(ids, time));
  }

  async #add(letters: readonly DeadLetter[]): Promise<number> {
    const { bytesMax, mayCompact } = this.#options;
    const lines = letters.map((letter) => Buffer.from(`${JSON.stringify(letter)}\n`));
    const wanted = lines.reduce((sum, { length }) => sum + length, 0);
    if (mayCompact && this.#mayShrink && this.#bytes + wanted > bytesMax) await this.#compact();
    let bytes = this.#bytes;
    const fitting = lines.filter(({ length }) => {
      const fits = bytes + length <= bytesMax;
      if (fits) bytes += length;
      return fits;
    });
    await this.#append(fitting);
    this.#count += fitting.length;
    return letters.length - fitting.length;
  }

  async #settle(ids: readonly string[], time: string): Promise<void> {
    if (ids.length === 0) return;
    await this.#append([Buffer.from(`${JSON.stringify({ settled: ids, time })}\n`)]);
    this.#count = Math.max(0, this.#count - ids.length);
    this.#mayShrink = true;
  }

  /** Leaves out what later lines have taken back. */
  async #compact(): Promise<void> {
    const content = (await this.#files.read(deadLetterFile)) ?? Buffer.alloc(0);
    const { letters } = parseDeadLetters(content);
    const kept = Buffer.from(letters.map((letter) => `${JSON.stringify(letter)}\n`).join(''));
    await this.#files.replace(deadLetterFile, kept);
    this.#bytes = kept.length;
    this.#count = letters.length;
    this.#torn = false;
    this.#mayShrink = kept.length < content.length;
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const changed = this.#changing.then(change);
    this.#changing = changed.catch(() => undefined);
    return changed;
  }

  async #append(lines: readonly Buffer[]): Promise<void> {
    if (lines.length === 0) return;
    // What a crash, or a disk that was full, left of a line must not swallow the next one.
    const content = Buffer.concat(this.#torn ? [Buffer.from('\n'), ...lines] : lines);
    this.#torn = true;
    await this.#files.append(deadLetterFile, content);
    this.#torn = false;
    this.#bytes += content.length;
  }
}

const newline = 10;

/** The letters of a file; lines that are none are counted. */
export function parseDeadLetters(content: Buffer): DeadLetterReading {
  const letters = new Map<string, DeadLetter>();
  let unreadable = 0;
  for (const line of content.toString('utf8').split('\n')) {
    if (line.trim() === '') continue;
    const value = parseLine(line);
    if (isLetter(value)) {
      letters.delete(value.id);
      letters.set(value.id, value);
    } else if (Array.isArray(value?.settled)) {
      for (const id of value.settled) letters.delete(String(id));
    } else unreadable++;
  }
  return { letters: [...letters.values()], unreadable, bytes: content.length };
}

function parseLine(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function isLetter(value: object | undefined): value is DeadLetter {
  if (value === undefined) return false;
  const { id, kind, of, position, reason, time } = value as Record<string, unknown>;
  const areTexts = [id, of, reason, time].every((each) => typeof each === 'string');
  return areTexts && (kind === 'finding' || kind === 'case' || kind === 'request') && typeof position === 'number';
}
