import type { Finding } from '../../model/finding.ts';
import { Correlator, type CorrelatorOptions } from './correlator.ts';
import type { Call } from './event-log.ts';

/** A correlator that notes what it is told, so that a start after a crash can tell it once more. */
export class JournalledCorrelator extends Correlator {
  constructor(options: CorrelatorOptions) {
    super({ ...options, journal: true });
  }

  override observe(source: string, endNanos: bigint, nowNanos?: bigint): void {
    this.log.note({ call: 'observe', source, endNanos, nowNanos });
    super.observe(source, endNanos, nowNanos);
  }

  /** Event time has come this far without a span; gives what that makes due. */
  advanceAndSettle(eventNanos: bigint): Finding[] {
    this.log.note({ call: 'advance', eventNanos });
    super.advance(eventNanos);
    return super.settle();
  }

  override settle(): Finding[] {
    this.log.note({ call: 'settle' });
    return super.settle();
  }

  override flush(): Finding[] {
    this.log.note({ call: 'flush' });
    return super.flush();
  }

  takeJournal(): Uint8Array {
    return this.log.take();
  }

  dropJournal(): void {
    this.log.drop();
  }

  /** Throws a SyntaxError on bytes that are no journal. */
  replay(journal: Uint8Array): void {
    try {
      this.log.read(journal, { ...this.again, call: (call) => this.#callAgain(call) });
    } finally {
      // What is in a journal needs no other.
      this.log.drop();
    }
  }

  #callAgain(call: Call): void {
    if (call.call === 'observe') super.observe(call.source, call.endNanos, call.nowNanos);
    else if (call.call === 'advance') {
      super.advance(call.eventNanos);
      super.settle();
    } else if (call.call === 'flush') super.flush();
    else super.settle();
  }
}
