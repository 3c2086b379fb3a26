import { latenessDefaultNanos } from './detect/engine.ts';
import { UsageWrappers } from './detect/usage-wrappers.ts';
import { type Judge, Judging } from './judging.ts';
import type { FieldTable } from './model/fields.ts';
import type { Finding } from './model/finding.ts';
import type { PriceList } from './model/prices.ts';
import type { SpanEvents } from './model/span-events.ts';
import { createToolCalls } from './tool-calls.ts';

/** What shows rules spans that are not stored by it: of tests and of history. */
export interface OfflineJudging {
  detect(events: SpanEvents): Finding[];
  /** Decides everything that is still open. */
  flush(): Finding[];
}

/**
 * Shows rules what the stream shows them: a tool call once, wherever it is seen, and tokens once. A fault of detection is thrown.
 *
 * @param prices without them no call that a message tells has a cost
 */
export function judgeOffline(detector: Judge, fields: FieldTable, prices?: PriceList): OfflineJudging {
  const calls = createToolCalls(fields, latenessDefaultNanos);
  const usage = new UsageWrappers(fields);
  const judging = new Judging({
    ...{ fields, calls, usage, detector, now: Date.now },
    ...(prices && { prices }),
    observer: {
      detectFailed: (error) => {
        throw error;
      },
    },
  });
  return {
    detect: (events) => {
      const found = [...judging.spans(events), ...judging.told(judging.newestNanos)];
      // Nothing is stored here, so what a restart would need is let go.
      calls.dropJournal();
      usage.dropJournal();
      return found;
    },
    flush: () => judging.flush(),
  };
}
