import type { PatchContext } from '../patch.ts';

/** What happens to one call of an SDK that returns an APIPromise. Each method may be called more than once. */
export interface CallObserver {
  /** The parsed body, or the stream. Called before the caller gets it. */
  value(value: unknown): void;
  error(error: unknown): void;
  /** The service has answered, the body has not been parsed yet and perhaps never will be. */
  answered(): void;
  /** The result cannot be watched: only that the call was made is known. */
  unknown(): void;
}

/** The parts of the generated SDKs' APIPromise we rely on; tested for by shape, since none of them is public. */
interface ApiPromise {
  responsePromise: Promise<unknown>;
  parseResponse?: (...args: unknown[]) => Promise<unknown>;
  _thenUnwrap(transform: (value: unknown, props: unknown) => unknown): ApiPromise;
}

/**
 * Watches the promise a patched method returns and gives back one of the same kind, so that `.withResponse()`,
 * `.asResponse()`, `.parse()` and every helper built on it keep working, and an error nobody handles still surfaces.
 */
export function observeCall(result: unknown, observer: CallObserver, context: PatchContext): unknown {
  try {
    if (isApiPromise(result)) return observeApiPromise(result, observer);
    // A plain promise has nothing to lose; any other thenable might start its work with each `then`.
    if (result instanceof Promise && result.constructor === Promise) return observePromise(result, observer);
    observer.unknown();
  } catch (error) {
    context.failed('observe a call', error);
  }
  return result;
}

function observeApiPromise(promise: ApiPromise, observer: CallObserver): unknown {
  const watched = promise._thenUnwrap((value) => {
    observer.value(value);
    return value;
  });
  const { responsePromise } = watched;
  if (typeof responsePromise?.then !== 'function') {
    observer.unknown();
    return watched;
  }
  const consumed = noticeConsumption(watched, responsePromise);
  noticeParseErrors(watched, observer);
  responsePromise.then(
    () => observer.answered(),
    (error: unknown) => {
      observer.error(error);
      // Listening marks the rejection as handled. If nobody else listens, it must surface as it would without us.
      if (!consumed()) throw error;
    },
  );
  return watched;
}

/** Whether anybody but us has asked the promise for its result: every way to do so goes through these two members. */
function noticeConsumption(watched: ApiPromise, responsePromise: Promise<unknown>): () => boolean {
  let consumed = false;
  const unwrap = watched._thenUnwrap;
  Object.defineProperty(watched, 'responsePromise', {
    configurable: true,
    enumerable: true,
    get() {
      consumed = true;
      return responsePromise;
    },
  });
  Object.defineProperty(watched, '_thenUnwrap', {
    configurable: true,
    writable: true,
    value(...args: Parameters<ApiPromise['_thenUnwrap']>) {
      consumed = true;
      return unwrap.apply(watched, args);
    },
  });
  return () => consumed;
}

function noticeParseErrors(watched: ApiPromise, observer: CallObserver): void {
  const parse = watched.parseResponse;
  if (typeof parse !== 'function') return;
  watched.parseResponse = async (...args) => {
    try {
      return await parse.apply(watched, args);
    } catch (error) {
      observer.error(error);
      throw error;
    }
  };
}

function observePromise(promise: Promise<unknown>, observer: CallObserver): Promise<unknown> {
  return promise.then(
    (value) => {
      observer.value(value);
      return value;
    },
    (error: unknown) => {
      observer.error(error);
      throw error;
    },
  );
}

function isApiPromise(value: unknown): value is ApiPromise {
  return value instanceof Promise && typeof (value as { _thenUnwrap?: unknown })._thenUnwrap === 'function';
}
