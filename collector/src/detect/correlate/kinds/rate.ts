import { limits } from '../../../model/limits.ts';
import type { SpanIdentity } from '../../span-identity.ts';
import type { CorrelationText } from '../correlation.ts';
import type { RateSyntax } from '../extension.ts';
import type { Change } from '../kind.ts';
import { type Kind, type KindEvent, type KindGroup, openEpisode, updateEpisode } from './grouped.ts';
import { type RobustScore, robustScore } from './robust.ts';

/** The buckets of a group. Numbers of buckets count from 1970; past buckets that are not listed were empty. */
export interface Rate {
  /** The first bucket the group was seen in. */
  readonly first: number;
  bucket: number;
  events: number;
  /** Of a ratio what is above and below the line; of others `above` is all. */
  above: number;
  below: number;
  /** The spans that add most to the bucket, and what they add. */
  top: { readonly span: SpanIdentity; readonly value: number }[];
  opened: SpanIdentity | null;
  newest: SpanIdentity | null;
  lastNanos: bigint;
  numbers: number[];
  values: number[];
  /** The last bucket that was an anomaly. */
  heldBucket: number;
}

/** rate_anomaly: the count, sum or ratio of a bucket is far from those of the buckets before it. */
export function rateKind(correlation: CorrelationText, syntax: RateSyntax): Kind<Rate> {
  const { bucketNanos, historyBuckets, measure, direction } = syntax;
  const bucketOf = (timeNanos: bigint): number => Number(timeNanos / bucketNanos);
  const endOf = (bucket: number): bigint => BigInt(bucket + 1) * bucketNanos;
  // Silence is worth a look only where too little is an anomaly; a ratio of nothing is none.
  const watchesSilence = direction !== 'up' && measure !== 'ratio';
  return {
    idleNanos: bucketNanos * BigInt(historyBuckets + 1),
    create: (timeNanos) => emptyRate(bucketOf(timeNanos)),
    add: (group, event) => {
      const { state } = group;
      const bucket = bucketOf(event.timeNanos);
      if (bucket !== state.bucket || state.events === 0) startBucket(state, bucket);
      take(state, event, syntax);
      group.dueNanos = endOf(bucket);
      return undefined;
    },
    close: (group, timeNanos) => {
      const { state } = group;
      const bucket = Number(timeNanos / bucketNanos) - 1;
      if (bucket !== state.bucket) startBucket(state, bucket);
      const changes = judge(correlation, group, syntax);
      const value = numberOf(state, measure);
      if (value !== undefined && (value !== 0 || measure === 'ratio')) {
        state.numbers.push(bucket);
        state.values.push(value);
      }
      forget(state, bucket + 1 - historyBuckets);
      if (watchesSilence && state.numbers.length > 0) group.dueNanos = endOf(bucket + 1);
      state.events = 0;
      return changes;
    },
    ...(watchesSilence && { silent: ({ events }: Rate) => events === 0 }),
    size: ({ numbers, top }) => 1 + numbers.length + top.length,
  };
}

function emptyRate(bucket: number): Rate {
  return {
    first: bucket,
    bucket,
    events: 0,
    above: 0,
    below: 0,
    top: [],
    opened: null,
    newest: null,
    lastNanos: 0n,
    numbers: [],
    values: [],
    heldBucket: -2,
  };
}

function startBucket(state: Rate, bucket: number): void {
  Object.assign(state, { bucket, events: 0, above: 0, below: 0, top: [], opened: null });
}

function take(state: Rate, { span, timeNanos, members, values }: KindEvent, syntax: RateSyntax): void {
  const value = values.reduce<number>((sum, each) => sum + Number(each), 0);
  const added = { count: 1, sum: value, ratio: (members & syntax.over) !== 0 ? 1 : 0 }[syntax.measure];
  state.events++;
  state.above += added;
  if ((members & syntax.under) !== 0) state.below++;
  state.opened ??= span;
  state.newest = span;
  state.lastNanos = timeNanos;
  if (added <= 0) return;
  const { top } = state;
  let at = top.length;
  while (at > 0 && top[at - 1]!.value < added) at--;
  if (at < limits.evidenceItemsMax - 1) top.splice(at, 0, { span, value: added });
  if (top.length > limits.evidenceItemsMax - 1) top.pop();
}

function numberOf({ above, below }: Rate, measure: RateSyntax['measure']): number | undefined {
  if (measure !== 'ratio') return above;
  return below === 0 ? undefined : above / below;
}

function judge(correlation: CorrelationText, group: KindGroup<Rate>, syntax: RateSyntax): readonly Change[] {
  const { state } = group;
  const { bucket, first, numbers } = state;
  const { historyBuckets, measure, min } = syntax;
  forget(state, bucket - historyBuckets);
  const value = numberOf(state, measure);
  const past = measure === 'ratio' ? numbers.length : Math.min(historyBuckets, bucket - first);
  if (value === undefined || past < min) return [];
  const unit = { count: 1, sum: 1, ratio: 0.01 }[measure];
  const judged = robustScore(value, Float64Array.from(state.values), past - numbers.length, unit);
  if (!isAnomaly(value, judged, syntax)) return [];
  const goesOn = group.episode !== null && state.heldBucket === bucket - 1;
  state.heldBucket = bucket;
  const shown = shownRate(value, judged, past, measure);
  const lastNanos = state.lastNanos;
  if (goesOn) return [updateEpisode(group.episode!, lastNanos, state.events, shown)];
  const opened = state.opened ?? state.newest!;
  const spans = state.top.map(({ span }) => span).sort(byEnd);
  return [openEpisode(correlation, group, opened, lastNanos, { spans, count: state.events, shown })];
}

function isAnomaly(value: number, { score }: RobustScore, { score: wanted, direction, atLeast }: RateSyntax): boolean {
  if (direction !== 'down' && score >= wanted) return value >= (atLeast ?? value);
  return direction !== 'up' && score <= -wanted;
}

function shownRate(value: number, judged: RobustScore, past: number, measure: RateSyntax['measure']): string {
  const [number, median, scale] = [value, judged.median, judged.scale].map((each) => Number(each.toPrecision(6)));
  const score = Number(Math.abs(judged.score).toPrecision(3));
  const side = judged.score < 0 ? 'below' : 'above';
  return `${measure} ${number}, ${score} deviations of ${scale} ${side} the median ${median} of ${past} buckets`;
}

function forget(state: Rate, firstBucket: number): void {
  let gone = 0;
  while (gone < state.numbers.length && state.numbers[gone]! < firstBucket) gone++;
  if (gone === 0) return;
  state.numbers.splice(0, gone);
  state.values.splice(0, gone);
}

function byEnd(a: SpanIdentity, b: SpanIdentity): number {
  return a.endNanos < b.endNanos ? -1 : a.endNanos > b.endNanos ? 1 : 0;
}
