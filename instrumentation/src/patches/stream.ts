/** Why watching a stream ended. */
export type StreamEnd = 'complete' | 'abandoned' | 'unread';

export interface StreamObserver {
  chunk(chunk: unknown): void;
  error(error: unknown): void;
  end(how: StreamEnd): void;
}

/** The SDKs' Stream: `iterator` makes the one pass over the events that all its methods use. */
export interface SdkStream {
  iterator(): AsyncIterator<unknown>;
  readonly controller?: { readonly signal?: AbortSignal };
}

/** A stream nobody started to read within a minute, or whose reader paused for ten, is taken for never read. */
const firstReadMs = 60_000;
const pauseMs = 600_000;

/** Whether a value is a Stream we can watch. */
export function isSdkStream(value: unknown): value is SdkStream {
  if (typeof value !== 'object' || value === null) return false;
  const { iterator, [Symbol.asyncIterator]: iterate } = value as Record<PropertyKey, unknown>;
  return typeof iterator === 'function' && typeof iterate === 'function';
}

/**
 * Watches a stream in place by replacing its `iterator`: for-await, `tee`, `toReadableStream` and helpers all pass through
 * it once, and the caller keeps the very object the SDK made.
 */
export function observeStream(stream: SdkStream, observer: StreamObserver): void {
  const original = stream.iterator;
  const watch = new StreamWatch(stream, observer);
  stream.iterator = function iterator(...args: []) {
    return watch.wrap(original.apply(this, args));
  };
}

class StreamWatch {
  readonly #stream: SdkStream;
  readonly #observer: StreamObserver;
  #over = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(stream: SdkStream, observer: StreamObserver) {
    this.#stream = stream;
    this.#observer = observer;
    this.#waitForReader(firstReadMs);
  }

  wrap(source: AsyncIterator<unknown>): AsyncIterator<unknown> {
    const watch = this;
    return {
      next(...args: [] | [undefined]) {
        clearTimeout(watch.#timer);
        return source.next(...args).then(
          (result) => watch.#seen(result),
          (error: unknown) => watch.#failed(error),
        );
      },
      ...(source.return && {
        return(value?: unknown) {
          watch.#finish(() => watch.#observer.end('abandoned'));
          return source.return!(value);
        },
      }),
      ...(source.throw && {
        throw(error?: unknown) {
          watch.#finish(() => watch.#observer.end('abandoned'));
          return source.throw!(error);
        },
      }),
      [Symbol.asyncIterator]() {
        return this;
      },
    } as AsyncIterator<unknown>;
  }

  #seen(result: IteratorResult<unknown>): IteratorResult<unknown> {
    if (this.#over) return result;
    if (result.done) {
      const aborted = this.#stream.controller?.signal?.aborted === true;
      this.#finish(() => this.#observer.end(aborted ? 'abandoned' : 'complete'));
    } else {
      this.#quietly(() => this.#observer.chunk(result.value));
      this.#waitForReader(pauseMs);
    }
    return result;
  }

  #failed(error: unknown): never {
    this.#finish(() => this.#observer.error(error));
    throw error;
  }

  #waitForReader(ms: number): void {
    this.#timer = setTimeout(() => this.#finish(() => this.#observer.end('unread')), ms);
    this.#timer.unref();
  }

  #finish(tell: () => void): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    this.#quietly(tell);
  }

  #quietly(work: () => void): void {
    try {
      work();
    } catch {
      // The observer reports its own failures; the reader of the stream must not see them.
    }
  }
}
