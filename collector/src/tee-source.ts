import type { EventSource, SourceRead } from './export/source.ts';
import type { TeeRequest } from './model/tee-request.ts';
import { teeRequestOf } from './originals.ts';
import type { OriginalTail } from './spool/contract.ts';

/** Requests in the order in which they went into the spool, for one reader. What the spool has let go of is nowhere else. */
export class TeeSource implements EventSource<TeeRequest> {
  readonly #tail: OriginalTail;
  readonly waiting = undefined;

  constructor(tail: OriginalTail) {
    this.#tail = tail;
  }

  get head(): number {
    return this.#tail.newest;
  }

  async read(after: number, signal: AbortSignal): Promise<SourceRead<TeeRequest> | undefined> {
    const read = await this.#tail.read(after, signal);
    if (read === undefined) return undefined;
    if (read.status === 'gone') return { batch: [], through: read.through, lost: read.segments };
    const batch = read.records.flatMap((record) => {
      const request = teeRequestOf(record);
      return request === undefined ? [] : [{ position: record.position, events: [request] }];
    });
    return { batch, through: read.through, lost: 0 };
  }
}
