import { limits } from '../../../model/limits.ts';
import type { SpanIdentity } from '../../span-identity.ts';
import type { CorrelationText } from '../correlation.ts';
import type { AbsenceSyntax } from '../extension.ts';
import type { Change } from '../kind.ts';
import { type Kind, type KindGroup, openEpisode, updateEpisode } from './grouped.ts';

interface Seen {
  readonly span: SpanIdentity;
  readonly timeNanos: bigint;
}

/** What is known of one set of equal keys. */
export interface Absence {
  /** The newest two matches of the first rule: one of them may be the span that matched the second. */
  first: Seen[];
  /** Matches of the second rule that ended at `group.dueNanos - 1`. */
  waiting: Seen[];
  /** Matches of the second rule beyond what can wait. */
  dropped: number;
}

/**
 * absence: a match of the second rule, and no span that matched the first before it with equal keys. Spans that end at the
 * same moment have no order, so a match is judged once event time has moved on.
 */
export function absenceKind(correlation: CorrelationText, { withinNanos }: AbsenceSyntax): Kind<Absence> {
  return {
    idleNanos: withinNanos,
    create: () => ({ first: [], waiting: [], dropped: 0 }),
    add: (group, { timeNanos, span, members }) => {
      const { state } = group;
      if ((members & 1) !== 0) state.first = [...state.first.slice(-1), { span, timeNanos }];
      if ((members & 2) === 0) return undefined;
      if (state.waiting.length < limits.correlationTiedEventsMax) state.waiting.push({ span, timeNanos });
      else state.dropped++;
      group.dueNanos = timeNanos + 1n;
      return undefined;
    },
    close: (group) => {
      const { waiting } = group.state;
      group.state.waiting = [];
      return waiting.flatMap((second) => judge(correlation, group, second, withinNanos));
    },
    size: ({ first, waiting }) => 1 + first.length + waiting.length,
    dropped: ({ dropped }) => dropped,
  };
}

function judge(
  correlation: CorrelationText,
  group: KindGroup<Absence>,
  { span, timeNanos }: Seen,
  withinNanos: bigint,
): readonly Change[] {
  const { state } = group;
  const cleared = state.first.some(
    (first) => first.timeNanos >= timeNanos - withinNanos && first.span.spanId !== span.spanId,
  );
  if (cleared) {
    group.episode = null;
    return [];
  }
  const shown = 'nothing';
  const change: Change = group.episode
    ? updateEpisode(group.episode, timeNanos, 1, shown)
    : openEpisode(correlation, group, span, timeNanos, { spans: [span], count: 1, shown });
  return [change];
}
