import { Log, type LogBatch } from '../../model/log-batch.ts';
import { Metric, type MetricBatch, Point } from '../../model/metric-batch.ts';
import { Resource, Scope, Span, type SpanBatch } from '../../model/span-batch.ts';
import type { ContentHash } from './content-hash.ts';

/** What the records of one batch are known by. */
export interface Contents {
  readonly count: number;
  /** Puts the hash of all that tells a record from others into the hash; false for one that nothing tells from others. */
  hash(record: number): boolean;
  leaveOut(isOut: Uint8Array): void;
}

/** A batch that known records can be taken out of. */
interface Sifted {
  leaveOut(isOut: Uint8Array): void;
}

/** What records of a signal are, where they are looked for. */
export interface RecordKind<Batch> {
  /** Whether two that are equal in one batch are two: else the second one is the first one once more. */
  readonly areEqualsSeveral: boolean;
  contentsOf(batch: Batch, hash: ContentHash): Contents;
}

/** A span has an id: all its bytes, its resource and its scope. */
export const spanKind: RecordKind<SpanBatch & Sifted> = {
  areEqualsSeveral: false,
  contentsOf: (batch, hash) => new SpanContents(batch, hash),
};

/** As a span; but one without a time that is finer than a second may well be equal to another one. */
export const logKind: RecordKind<LogBatch & Sifted> = {
  areEqualsSeveral: true,
  contentsOf: (batch, hash) => new LogContents(batch, hash),
};

/** A point of a stream at a time: all its bytes, and what its metric, its resource and its scope are. One without a time is of no moment. */
export const pointKind: RecordKind<MetricBatch & Sifted> = {
  areEqualsSeveral: true,
  contentsOf: (batch, hash) => new PointContents(batch, hash),
};

class SpanContents implements Contents {
  readonly #batch: SpanBatch & Sifted;
  readonly #hash: ContentHash;
  readonly #owner: OwnerHash;

  constructor(batch: SpanBatch & Sifted, hash: ContentHash) {
    this.#batch = batch;
    this.#hash = hash;
    this.#owner = new OwnerHash(hash, batch);
  }

  get count(): number {
    return this.#batch.spanCount;
  }

  hash(span: number): boolean {
    const { spans } = this.#batch;
    const at = span * Span.stride;
    this.#owner.of(spans[at + Span.resource]!, spans[at + Span.scope]!);
    addRange(this.#hash, spans, at + Span.message);
    return true;
  }

  leaveOut(isOut: Uint8Array): void {
    this.#batch.leaveOut(isOut);
  }
}

class LogContents implements Contents {
  readonly #batch: LogBatch & Sifted;
  readonly #hash: ContentHash;
  readonly #owner: OwnerHash;

  constructor(batch: LogBatch & Sifted, hash: ContentHash) {
    this.#batch = batch;
    this.#hash = hash;
    this.#owner = new OwnerHash(hash, batch);
  }

  get count(): number {
    return this.#batch.logCount;
  }

  hash(log: number): boolean {
    const { bytes, logs } = this.#batch;
    const at = log * Log.stride;
    if (!isFine(bytes, logs[at + Log.time]!) && !isFine(bytes, logs[at + Log.observedTime]!)) return false;
    this.#owner.of(logs[at + Log.resource]!, logs[at + Log.scope]!);
    addRange(this.#hash, logs, at + Log.message);
    return true;
  }

  leaveOut(isOut: Uint8Array): void {
    this.#batch.leaveOut(isOut);
  }
}

class PointContents implements Contents {
  readonly #batch: MetricBatch & Sifted;
  readonly #hash: ContentHash;
  readonly #owner: OwnerHash;
  #metric = -1;
  #high = 0;
  #low = 0;

  constructor(batch: MetricBatch & Sifted, hash: ContentHash) {
    this.#batch = batch;
    this.#hash = hash;
    this.#owner = new OwnerHash(hash, batch);
  }

  get count(): number {
    return this.#batch.pointCount;
  }

  hash(point: number): boolean {
    const { bytes, points } = this.#batch;
    const hash = this.#hash;
    const at = point * Point.stride;
    const time = points[at + Point.time]!;
    if (time < 0 || bytes.readBigUInt64LE(time) === 0n) return false;
    const metric = points[at + Point.metric]!;
    if (metric !== this.#metric) this.#begin(metric);
    hash.from(this.#high, this.#low);
    hash.addWord(points[at + Point.kind]!);
    addRange(hash, points, at + Point.message);
    return true;
  }

  leaveOut(isOut: Uint8Array): void {
    this.#batch.leaveOut(isOut);
  }

  #begin(metric: number): void {
    const { metrics } = this.#batch;
    const hash = this.#hash;
    const at = metric * Metric.stride;
    this.#owner.of(metrics[at + Metric.resource]!, metrics[at + Metric.scope]!);
    for (const text of [Metric.name, Metric.description, Metric.unit]) addRange(hash, metrics, at + text);
    hash.addWord(metrics[at + Metric.temporality]!);
    hash.addWord(metrics[at + Metric.monotonic]!);
    this.#metric = metric;
    this.#high = hash.high;
    this.#low = hash.low;
  }
}

/** The hash that records of one scope go on from, made once for as long as it stays the same. */
class OwnerHash {
  readonly #hash: ContentHash;
  readonly #batch: Pick<SpanBatch, 'bytes' | 'resources' | 'scopes'>;
  #scope = -1;
  #high = 0;
  #low = 0;

  constructor(hash: ContentHash, batch: Pick<SpanBatch, 'bytes' | 'resources' | 'scopes'>) {
    this.#hash = hash;
    this.#batch = batch;
    hash.read(batch.bytes);
  }

  of(resource: number, scope: number): void {
    const hash = this.#hash;
    if (scope !== this.#scope) {
      const { resources, scopes } = this.#batch;
      hash.begin();
      addRange(hash, resources, resource * Resource.stride + Resource.message);
      addRange(hash, scopes, scope * Scope.stride + Scope.message);
      this.#scope = scope;
      this.#high = hash.high;
      this.#low = hash.low;
    }
    hash.from(this.#high, this.#low);
  }
}

function addRange(hash: ContentHash, rows: Int32Array<ArrayBufferLike>, at: number): void {
  hash.add(rows[at]!, rows[at]! + rows[at + 1]!);
}

/** Whether nanoseconds stand there that are no whole seconds, nor none. */
function isFine(bytes: Buffer, offset: number): boolean {
  if (offset < 0) return false;
  // A billion is 2 ** 9 times an odd number.
  return (bytes.readUInt32LE(offset) & 511) !== 0 || bytes.readBigUInt64LE(offset) % 1_000_000_000n !== 0n;
}
