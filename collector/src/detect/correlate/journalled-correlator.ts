import type { Finding } from '../../model/finding.ts';
import { Correlator, type CorrelatorOptions } from './correlator.ts';
import type { CorrelationEvent } from './event.ts';
import { CorrelationJournal } from './journal.ts';

/** A correlator that notes what it is told, so that a start after a crash can tell it once more. */
export class JournalledCorrelator extends Correlator {
  readonly #journal: CorrelationJournal;

  constructor(options: CorrelatorOptions) {
    super(options);
    this.#journal = new CorrelationJournal(options.correlations);
  }

  override add(event: CorrelationEvent, nowNanos?: bigint): void {
    // What is late now is late then.
    if (event.timeNanos >= this.watermarkNanos) this.#journal.note({ call: 'add', event, nowNanos });
    super.add(event, nowNanos);
  }

  override observe(source: string, endNanos: bigint, nowNanos?: bigint): void {
    this.#journal.note({ call: 'observe', source, endNanos, nowNanos });
    super.observe(source, endNanos, nowNanos);
  }

  /** Event time has come this far without a span; gives what that makes due. */
  advanceAndSettle(eventNanos: bigint): Finding[] {
    this.#journal.note({ call: 'advance', eventNanos });
    super.advance(eventNanos);
    return super.settle();
  }

  override settle(): Finding[] {
    this.#journal.note({ call: 'settle' });
    return super.settle();
  }

  override flush(): Finding[] {
    this.#journal.note({ call: 'flush' });
    return super.flush();
  }

  takeJournal(): Uint8Array {
    return this.#journal.take();
  }

  dropJournal(): void {
    this.#journal.drop();
  }

  /** Throws a SyntaxError on bytes that are no journal. */
  replay(journal: Uint8Array): void {
    for (const call of this.#journal.read(journal)) {
      if (call.call === 'add') super.add(call.event, call.nowNanos);
      else if (call.call === 'observe') super.observe(call.source, call.endNanos, call.nowNanos);
      else if (call.call === 'advance') {
        super.advance(call.eventNanos);
        super.settle();
      } else if (call.call === 'flush') super.flush();
      else super.settle();
    }
  }
}
