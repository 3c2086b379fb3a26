import { join } from 'node:path';
import { nodeFiles, readFileBytes, type SpoolFiles } from '../spool/files.ts';
import { type Checkpoint, decodeCheckpoint } from './checkpoint-format.ts';
import { CheckpointWriter } from './checkpoint-writer.ts';

/** The part of a pino logger that the state uses. */
export interface StateLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

const quarantine = 'quarantine';
/** The newest and the one before, in case the newest cannot be read. */
const keptMax = 2;
/** Files in quarantine: some for a person to look at. */
const asideMax = 4;
const namePattern = /^checkpoint-(\d{16})\.state$/;

/** Checkpoint files in a directory of their own. One process at a time: whoever holds the spool's lock. */
export class CheckpointStore {
  readonly #directory: string;
  readonly #logger: StateLogger | undefined;
  readonly #files: SpoolFiles;
  /** Oldest first. */
  #known: { readonly name: string; readonly segment: number }[] = [];
  setAside = 0;

  constructor(directory: string, logger?: StateLogger, files: SpoolFiles = nodeFiles) {
    this.#directory = directory;
    this.#logger = logger;
    this.#files = files;
  }

  /** The earliest segment that is needed should the newest checkpoint be unreadable; 0 means all there are. */
  get neededSegment(): number {
    return this.#known.length < keptMax ? 0 : this.#known[0]!.segment;
  }

  /**
   * Checkpoints, newest first, until the taker says that one is good. Files that cannot be used are set aside in
   * `quarantine/` with a loud line in the log; they never keep the collector from starting.
   */
  async load(take: (checkpoint: Checkpoint) => boolean): Promise<Checkpoint | undefined> {
    await this.#files.ensureDirectory(this.#directory);
    const names = (await this.#files.list(this.#directory)).map(({ name }) => name);
    for (const name of names) if (name.endsWith('.tmp')) await this.#remove(name);
    const stored = names.filter((name) => namePattern.test(name)).sort();
    let taken: Checkpoint | undefined;
    for (const name of stored.toReversed()) {
      const checkpoint = await this.#read(name);
      if (!checkpoint) continue;
      if (taken === undefined && !take(checkpoint)) await this.#setAside(name, 'of other content');
      else {
        taken ??= checkpoint;
        this.#known.unshift({ name, segment: checkpoint.segment });
      }
    }
    return taken;
  }

  /** Begins a checkpoint of everything up to a number; older ones than the last two are gone when it is finished. */
  begin(number: number): Promise<CheckpointWriter> {
    const name = `checkpoint-${String(number).padStart(16, '0')}.state`;
    return CheckpointWriter.create(this.#files, { directory: this.#directory, name, number }, async (segment) => {
      this.#known = [...this.#known.filter((known) => known.name !== name), { name, segment }];
      while (this.#known.length > keptMax) await this.#remove(this.#known.shift()!.name);
    });
  }

  async #read(name: string): Promise<Checkpoint | undefined> {
    try {
      const reading = decodeCheckpoint(await readFileBytes(this.#files, join(this.#directory, name)));
      if (reading.status === 'ok') return reading.checkpoint;
      await this.#setAside(name, reading.status === 'newer' ? 'of a newer version of Spanwarden' : 'damaged');
    } catch (error) {
      this.#logger?.error({ err: error, file: name }, 'state: a checkpoint could not be read; trying an older one');
    }
    return undefined;
  }

  async #setAside(name: string, why: string): Promise<void> {
    this.setAside++;
    const message = `state: a checkpoint is ${why}; it was moved to ${quarantine}/, and an older one or the journals are used`;
    this.#logger?.error({ file: name }, message);
    try {
      const directory = join(this.#directory, quarantine);
      await this.#files.ensureDirectory(directory);
      await this.#files.rename(join(this.#directory, name), join(directory, name));
      const aside = (await this.#files.list(directory)).map((file) => file.name).sort();
      for (const oldest of aside.slice(0, -asideMax)) await this.#files.remove(join(directory, oldest));
    } catch (error) {
      this.#logger?.error({ err: error, file: name }, 'state: a checkpoint could not be set aside');
    }
  }

  async #remove(name: string): Promise<void> {
    await this.#files.remove(join(this.#directory, name)).catch((error) => {
      this.#logger?.warn({ err: error, file: name }, 'state: an old checkpoint could not be deleted');
    });
  }
}
