/** An event of one group as the plain evaluators take it; times and timespans are whole seconds. */
export interface PlainEvent {
  readonly at: number;
  readonly spanId: string;
  /** The rules that it matches, as letters. */
  readonly rules: string;
  readonly value: string;
  readonly number: number;
}

/** What matters of a finding: the span that opened it, and its count. */
export interface PlainEpisode {
  readonly spanId: string;
  readonly count: number;
}

type Open = { -readonly [Key in keyof PlainEpisode]: PlainEpisode[Key] };

/** Evaluators that keep nothing up to date: each event looks at all events before it. Events come in event order. */
export function plainNewValue(
  events: readonly PlainEvent[],
  { learn, learnEvents, ttl }: { readonly learn: number; readonly learnEvents: number; readonly ttl: number },
): PlainEpisode[] {
  return withoutGaps(events, ttl).flatMap((run) =>
    run.flatMap((event, index) => {
      const before = run.slice(0, index);
      const known = before.some(({ at, value }) => value === event.value && event.at - at <= ttl);
      const learning = event.at - run[0]!.at < learn || index < learnEvents;
      return known || learning ? [] : [{ spanId: event.spanId, count: 1 }];
    }),
  );
}

export function plainRare(
  events: readonly PlainEvent[],
  {
    share,
    count,
    min,
    history,
  }: { readonly share: number; readonly count: number; readonly min: number; readonly history: number },
): PlainEpisode[] {
  const findings: Open[] = [];
  const open = new Map<string, Open>();
  let period = -1;
  for (const [index, { at, value, spanId }] of events.entries()) {
    const now = Math.floor(at / history);
    if (now !== period) open.clear();
    period = now;
    const before = events.slice(0, index).filter((each) => Math.floor(each.at / history) >= now - 1);
    const seen = before.filter((each) => each.value === value).length;
    const rare = before.length >= min && seen <= count && seen <= share * before.length;
    if (!rare) open.delete(value);
    else if (open.has(value)) open.get(value)!.count++;
    else {
      open.set(value, { spanId, count: 1 });
      findings.push(open.get(value)!);
    }
  }
  return findings;
}

/** `lastAt` is when the last event of any group was. */
export function plainRate(
  events: readonly PlainEvent[],
  lastAt: number,
  rate: {
    readonly bucket: number;
    readonly buckets: number;
    readonly score: number;
    readonly min: number;
    readonly direction: string;
  },
): PlainEpisode[] {
  const { bucket, buckets, score, min, direction } = rate;
  const numberOf = ({ at }: PlainEvent): number => Math.floor(at / bucket);
  const findings: Open[] = [];
  for (const [index, run] of withoutGaps(events, bucket * (buckets + 1)).entries()) {
    const first = numberOf(run[0]!);
    const sumOf = (number: number): number =>
      run.filter((event) => numberOf(event) === number).reduce((sum, event) => sum + event.number, 0);
    const end =
      index === withoutGaps(events, bucket * (buckets + 1)).length - 1
        ? Math.floor(lastAt / bucket)
        : Number.POSITIVE_INFINITY;
    let held: number | undefined;
    for (let number = first; number <= Math.min(end, numberOf(run.at(-1)!) + buckets); number++) {
      const inside = run.filter((event) => numberOf(event) === number);
      if (inside.length === 0 && direction === 'up') continue;
      const past = Array.from({ length: Math.min(buckets, number - first) }, (_, back) => sumOf(number - 1 - back));
      const distance = plainScore(sumOf(number), past);
      const high = direction !== 'down' && distance >= score;
      const low = direction !== 'up' && distance <= -score;
      if (past.length < min || !(high || low)) continue;
      const goesOn = held === number - 1;
      held = number;
      if (goesOn) findings.at(-1)!.count += inside.length;
      else {
        const newest = run.filter((event) => numberOf(event) < number).at(-1);
        findings.push({ spanId: (inside[0] ?? newest)!.spanId, count: inside.length });
      }
    }
  }
  return findings;
}

function plainScore(x: number, past: readonly number[]): number {
  const middle = median(past);
  const distances = past.map((each) => Math.abs(each - middle));
  const mean = distances.reduce((sum, each) => sum + each, 0) / past.length;
  return (x - middle) / Math.max(median(distances) || mean, Math.abs(middle) / 10, 1);
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** The first rule is `a`, the second `b`. */
export function plainAbsence(events: readonly PlainEvent[], within: number): PlainEpisode[] {
  const findings: Open[] = [];
  for (const run of withoutGaps(events, within)) {
    let open: Open | undefined;
    for (const { at, spanId, rules } of run) {
      if (!rules.includes('b')) continue;
      const cleared = run.some(
        (each) => each.rules.includes('a') && each.at <= at && at - each.at <= within && each.spanId !== spanId,
      );
      if (cleared) open = undefined;
      else if (open) open.count++;
      else {
        open = { spanId, count: 1 };
        findings.push(open);
      }
    }
  }
  return findings;
}

/** `terms` are alternatives of rules that match and rules that do not, as letters. */
export function plainExtended(
  events: readonly PlainEvent[],
  timespan: number,
  ordered: boolean,
  terms: readonly (readonly [wanted: string, unwanted: string])[],
): PlainEpisode[] {
  const findings: Open[] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (const [index, event] of events.entries()) {
    const window = events.slice(0, index + 1).filter(({ at }) => event.at - at <= timespan);
    const near = events.filter(({ at }) => Math.abs(event.at - at) <= timespan);
    const term = terms.find(
      ([wanted, unwanted]) =>
        [...wanted].some((rule) => event.rules.includes(rule)) &&
        assigned([...wanted], window, ordered, 0) &&
        !near.some(({ rules }) => [...unwanted].some((rule) => rules.includes(rule))),
    );
    if (!term) continue;
    if (event.at - last <= timespan) findings.at(-1)!.count++;
    else findings.push({ spanId: event.spanId, count: term[0].length });
    last = event.at;
  }
  return findings;
}

/** Whether each rule has an event of its own; in order, each not before the one of the rule before. */
function assigned(
  [rule, ...rest]: readonly string[],
  window: readonly PlainEvent[],
  ordered: boolean,
  since: number,
): boolean {
  if (rule === undefined) return true;
  return window.some(
    (event) =>
      event.rules.includes(rule) &&
      event.at >= since &&
      assigned(
        rest,
        window.filter((other) => other !== event),
        ordered,
        ordered ? event.at : 0,
      ),
  );
}

/** Events between which less than a gap lies; a longer silence makes a group start anew. */
function withoutGaps(events: readonly PlainEvent[], gap: number): PlainEvent[][] {
  const runs: PlainEvent[][] = [];
  for (const event of events) {
    const run = runs.at(-1);
    if (run && event.at - run.at(-1)!.at <= gap) run.push(event);
    else runs.push([event]);
  }
  return runs;
}
