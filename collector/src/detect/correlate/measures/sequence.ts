import type { SpanIdentity } from '../../span-identity.ts';
import type { Entry } from '../event.ts';
import { findByTrial, type Measure } from '../measure.ts';
import { Matching } from './matching.ts';

/** Spans for the first steps of the sequence, in their order, and when the first of them ended. */
interface Chain {
  readonly startNanos: bigint;
  readonly spans: readonly SpanIdentity[];
}

/**
 * Of all chains for the first k steps only the one that began last matters: it stays in the window longest. `settled` are
 * the chains of events before `timeNanos`, `chains` include those at that very time.
 */
export interface Sequence {
  timeNanos: bigint;
  tied: Entry[];
  settled: (Chain | null)[];
  chains: (Chain | null)[];
}

/**
 * temporal_ordered: all steps in the order of their rules, each with a span of its own. Spans that ended at the same time
 * may stand in any order.
 */
export function sequenceMeasure(steps: number): Measure<Sequence> {
  const none = (): null[] => Array.from({ length: steps }, () => null);
  const whole = ({ chains }: Sequence): Chain | null => chains[steps - 1]!;
  const measure: Measure<Sequence> = {
    create: () => ({ timeNanos: -1n, tied: [], settled: none(), chains: none() }),
    add: (state, entry) => {
      if (entry.timeNanos !== state.timeNanos) {
        state.timeNanos = entry.timeNanos;
        state.tied = [];
        for (let step = 0; step < steps; step++) state.settled[step] = state.chains[step]!;
      }
      // More spans of a kind than there are steps cannot be used.
      if (state.tied.length >= steps && alikeIn(state.tied, entry) >= steps) return;
      state.tied.push(entry);
      if (state.tied.length === 1) extendByOne(state, entry);
      else extend(state, steps);
    },
    expire: ({ settled, chains }, before) => {
      for (let step = 0; step < steps; step++) {
        if (settled[step] && settled[step]!.startNanos < before) settled[step] = null;
        if (chains[step] && chains[step]!.startNanos < before) chains[step] = null;
      }
    },
    holds: (state) => whole(state) !== null,
    size: ({ chains }) => chains.reduce((size, chain) => size + (chain?.spans.length ?? 0), 1),
    events: () => steps,
    shown: () => String(steps),
    spans: (state, max) => whole(state)?.spans.slice(0, max) ?? [],
    dropped: () => 0,
  };
  return {
    ...measure,
    early: {
      // The last step is always a new event: chains keep earlier steps, not what would complete them.
      possible: ({ chains }, { members }) =>
        (members & (1 << (steps - 1))) !== 0 && chains.every((chain, step) => chain || (members & (1 << step)) !== 0),
      find: (state, waiting, timespanNanos) => {
        const { timeNanos, tied, settled, chains } = state;
        const copy = { timeNanos, tied: [...tied], settled: [...settled], chains: [...chains] };
        return findByTrial(measure, copy, waiting, timespanNanos);
      },
    },
  };
}

function alikeIn(tied: readonly Entry[], { members }: Entry): number {
  return tied.reduce((alike, each) => (each.members === members ? alike + 1 : alike), 0);
}

/** Puts a span that ended alone behind each chain whose next step it is. */
function extendByOne({ settled, chains }: Sequence, { timeNanos, members, span }: Entry): void {
  for (let left = members; left !== 0; left &= left - 1) {
    const step = 31 - Math.clz32(left & -left);
    const before = step === 0 ? undefined : settled[step - 1]!;
    if (before === null) continue;
    const startNanos = before?.startNanos ?? timeNanos;
    const known = chains[step]!;
    if (known !== null && known.startNanos >= startNanos) continue;
    chains[step] = { startNanos, spans: before ? [...before.spans, span] : [span] };
  }
}

/** Puts as many next steps as possible of the tied spans behind each chain that was there before them. */
function extend(state: Sequence, steps: number): void {
  const { tied, settled, timeNanos } = state;
  for (let done = 0; done < steps; done++) {
    const chain = done === 0 ? { startNanos: timeNanos, spans: [] } : settled[done - 1]!;
    if (chain === null) continue;
    const matching = new Matching(tied);
    for (let step = done; step < steps && matching.serve(step); step++) {
      const known = state.chains[step]!;
      if (known !== null && known.startNanos >= chain.startNanos) continue;
      const added = Array.from({ length: step - done + 1 }, (_, index) => matching.of(done + index)!.span);
      state.chains[step] = { startNanos: chain.startNanos, spans: [...chain.spans, ...added] };
    }
  }
}
