import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';
import type { QueueConfig } from './otlp-config.ts';
import type { SpanSender } from './sender.ts';

/** What became of the spans that ended. ended = exported + rejected + failed + dropped + queued. */
export interface ExportCounts {
  readonly ended: number;
  readonly exported: number;
  /** Refused by the receiver, one by one (OTLP partial success). */
  readonly rejected: number;
  /** In batches the receiver refused for good. */
  readonly failed: number;
  /** Not kept because the queue was full or the process ended. */
  readonly dropped: number;
  readonly queued: number;
}

export interface QueueProcessor extends SpanProcessor {
  counts(): ExportCounts;
  /** Sends what is queued; ends after `timeoutMs` at the latest, keeping the process alive until then at most. */
  flushWithin(timeoutMs: number): Promise<void>;
  /** The last chance, without asynchronous code. Gives up at once while the receiver is known to be away. */
  flushNow(timeoutMs: number): void;
  /** Whether spans wait that no flush has tried to send yet. */
  readonly hasFresh: boolean;
}

const backoffFirstMs = 1000;
const backoffMaxMs = 30_000;
const spanBytesBase = 512;

/**
 * A bounded queue in front of a sender. It takes spans that the sampler left out too (the sampled flag is not looked at):
 * a sampled-out span is an attack nobody sees. While the receiver is away the batch stays in the queue and is tried again
 * with growing pauses; a full queue drops new spans and counts them. One warning per episode.
 */
export function queueProcessor(sender: SpanSender, config: QueueConfig, warn: (text: string) => void): QueueProcessor {
  return new QueueProcessorImpl(sender, config, warn);
}

class QueueProcessorImpl implements QueueProcessor {
  readonly #sender: SpanSender;
  readonly #config: QueueConfig;
  readonly #warn: (text: string) => void;
  #queue: { readonly span: ReadableSpan; readonly bytes: number }[] = [];
  #queuedBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<boolean> | undefined;
  #inFlight = 0;
  #backoffMs = 0;
  #inTrouble = false;
  #triedAt = 0;
  #closed = false;
  #ended = 0;
  #exported = 0;
  #rejected = 0;
  #failed = 0;
  #dropped = 0;

  constructor(sender: SpanSender, config: QueueConfig, warn: (text: string) => void) {
    this.#sender = sender;
    this.#config = config;
    this.#warn = warn;
  }

  get hasFresh(): boolean {
    return this.#queue.length > 0 && this.#triedAt < this.#ended;
  }

  counts(): ExportCounts {
    return {
      ended: this.#ended,
      exported: this.#exported,
      rejected: this.#rejected,
      failed: this.#failed,
      dropped: this.#dropped,
      queued: this.#queue.length,
    };
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    try {
      this.#ended++;
      const bytes = approximateBytes(span);
      const full =
        this.#queue.length >= this.#config.spansMax ||
        this.#queuedBytes + bytes > this.#config.bytesMax ||
        this.#closed;
      if (full) {
        this.#drop(1, 'the queue is full');
        return;
      }
      this.#queue.push({ span, bytes });
      this.#queuedBytes += bytes;
      const batchReady =
        this.#queue.length - this.#inFlight >= this.#config.batchSpansMax ||
        this.#queuedBytes >= this.#config.batchBytesMax;
      if (batchReady && this.#backoffMs === 0) this.#schedule(0);
      else this.#schedule(this.#config.delayMs);
    } catch {
      this.#dropped++;
    }
  }

  async forceFlush(): Promise<void> {
    await this.flushWithin(30_000);
  }

  async flushWithin(timeoutMs: number): Promise<void> {
    if (this.#queue.length === 0) return;
    let timer: NodeJS.Timeout | undefined;
    // The sockets do not hold the process, this timer does, and no longer than asked.
    const limit = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), timeoutMs);
    });
    this.#triedAt = this.#ended;
    try {
      while (this.#queue.length > 0 && (await Promise.race([this.#sendBatch(), limit])));
    } finally {
      clearTimeout(timer);
      if (this.#queue.length > 0 && !this.#closed) this.#schedule(this.#backoffMs || this.#config.delayMs);
    }
  }

  flushNow(timeoutMs: number): void {
    if (this.#backoffMs > 0 || this.#queue.length === 0) return;
    const spans = this.#queue.splice(0).map((item) => item.span);
    this.#queuedBytes = 0;
    if (this.#sender.sendNow(spans, timeoutMs)) this.#exported += spans.length;
    else this.#dropped += spans.length;
  }

  async shutdown(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.flushWithin(2000);
    this.#dropped += this.#queue.length;
    this.#queue = [];
  }

  #schedule(delayMs: number): void {
    if (this.#timer !== undefined && delayMs > 0) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#sendBatch().then((more) => {
        if (this.#queue.length > 0) this.#schedule(more ? this.#pause() : this.#backoffMs || this.#config.delayMs);
      });
    }, delayMs);
    this.#timer.unref();
  }

  #pause(): number {
    return this.#queue.length >= this.#config.batchSpansMax ? 0 : this.#config.delayMs;
  }

  /** Sends one batch; true when the receiver took or refused it, so that the next can follow. Never rejects. */
  #sendBatch(): Promise<boolean> {
    this.#sending ??= this.#sendOne().finally(() => {
      this.#sending = undefined;
      this.#inFlight = 0;
    });
    return this.#sending;
  }

  async #sendOne(): Promise<boolean> {
    const batch = this.#nextBatch();
    if (batch.length === 0) return true;
    this.#inFlight = batch.length;
    const outcome = await this.#sender.send(batch);
    if (outcome.status === 'retryable') {
      this.#backoffMs = outcome.retryAfterMs ?? Math.min(Math.max(this.#backoffMs * 2, backoffFirstMs), backoffMaxMs);
      this.#trouble(outcome.reason);
      return false;
    }
    this.#take(batch);
    this.#backoffMs = 0;
    if (outcome.status === 'permanent') {
      this.#failed += batch.length;
      this.#trouble(outcome.reason);
      return true;
    }
    this.#rejected += Math.min(outcome.rejected, batch.length);
    this.#exported += batch.length - Math.min(outcome.rejected, batch.length);
    this.#inTrouble = false;
    return true;
  }

  #nextBatch(): ReadableSpan[] {
    const batch: ReadableSpan[] = [];
    let bytes = 0;
    for (const item of this.#queue) {
      if (batch.length >= this.#config.batchSpansMax) break;
      if (batch.length > 0 && bytes + item.bytes > this.#config.batchBytesMax) break;
      batch.push(item.span);
      bytes += item.bytes;
    }
    return batch;
  }

  /** Removes a sent batch from the front; the exit path may have emptied the queue meanwhile. */
  #take(batch: readonly ReadableSpan[]): void {
    if (this.#queue[0]?.span !== batch[0]) return;
    for (const item of this.#queue.splice(0, batch.length)) this.#queuedBytes -= item.bytes;
  }

  #drop(count: number, reason: string): void {
    this.#dropped += count;
    this.#trouble(reason);
  }

  #trouble(reason: string): void {
    if (this.#inTrouble) return;
    this.#inTrouble = true;
    this.#warn(
      `spans cannot be sent to ${this.#sender.target} (${reason}); the agent goes on, spans wait or are dropped`,
    );
  }
}

/** Rough size of a span in memory and on the wire: the length of its texts. */
function approximateBytes(span: ReadableSpan): number {
  let bytes = spanBytesBase;
  for (const key in span.attributes) {
    const value = span.attributes[key];
    if (typeof value === 'string') bytes += value.length;
    else if (Array.isArray(value)) for (const item of value) bytes += typeof item === 'string' ? item.length : 8;
  }
  return bytes;
}
