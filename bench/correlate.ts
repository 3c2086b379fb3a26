// `node bench/correlate.ts`: correlations fed with ready events, as the detector gives them; prints a table. Figures that
// were kept stand in bench/README.md. `--other <checkout>` says how many times as many events per CPU-second this one takes
// as the other: each load by turns, every time in a process of its own, as garbage is collected by other threads.

import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type * as Correlating from '../collector/src/detect/correlate/correlator.ts';
import type { CorrelationEvent } from '../collector/src/detect/correlate/event.ts';
import type * as Loading from '../collector/src/detect/load.ts';
import { limits } from '../collector/src/model/limits.ts';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    other: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    /** Whose collector is measured. */
    checkout: { type: 'string', default: resolve(import.meta.dirname, '..') },
  },
});
const at = <T>(path: string): Promise<T> =>
  import(pathToFileURL(resolve(options.checkout, 'collector/src/detect', path)).href);
const { Correlator } = await at<typeof Correlating>('correlate/correlator.ts');
const { loadRules } = await at<typeof Loading>('load.ts');

const second = 1_000_000_000n;
const batchEvents = 512;

interface Load {
  readonly name: string;
  readonly type: string;
  readonly condition: string;
  readonly timespan: string;
  readonly events: number;
  /** Events per second of event time. */
  readonly rate: number;
  readonly groups: number;
  /** Different values, for value_count and the numeric types. */
  readonly values?: number;
}

const loads: readonly Load[] = [
  {
    name: 'event_count, 1,000 groups',
    type: 'event_count',
    condition: '{gte: 5}',
    timespan: '10s',
    events: 600_000,
    rate: 2_000,
    groups: 1_000,
  },
  {
    name: 'event_count, never true',
    type: 'event_count',
    condition: '{gte: 100000}',
    timespan: '60s',
    events: 600_000,
    rate: 2_000,
    groups: 10,
  },
  {
    name: 'value_count, 1,800 distinct',
    type: 'value_count',
    condition: '{field: v, gte: 2000}',
    timespan: '60s',
    events: 600_000,
    rate: 2_000,
    groups: 1,
    values: 1_800,
  },
  {
    name: 'value_count, 100,000 distinct',
    type: 'value_count',
    condition: '{field: v, gte: 100000}',
    timespan: '100s',
    events: 600_000,
    rate: 2_000,
    groups: 1,
    values: 100_000,
  },
  {
    name: 'temporal, 1,000 groups',
    type: 'temporal',
    condition: '',
    timespan: '10s',
    events: 600_000,
    rate: 2_000,
    groups: 1_000,
  },
  {
    name: 'temporal_ordered, 1,000 groups',
    type: 'temporal_ordered',
    condition: '',
    timespan: '10s',
    events: 600_000,
    rate: 2_000,
    groups: 1_000,
  },
  {
    name: 'value_sum, 10 groups',
    type: 'value_sum',
    condition: '{field: v, gte: 1000000000}',
    timespan: '60s',
    events: 600_000,
    rate: 2_000,
    groups: 10,
    values: 5_000,
  },
  {
    name: 'value_percentile, 100,000 values in the window',
    type: 'value_percentile',
    condition: '{field: v, percentile: 95, gte: 1000000}',
    timespan: '60s',
    events: 600_000,
    rate: 2_000,
    groups: 1,
    values: 1_000_000,
  },
];

/** How the name of a load begins, or `groups of <type>`; default all. */
const only = positionals[0] ?? '';
if (options.other !== undefined) for (const load of loadsOf(only)) compare(load, options.other);
else if (only.startsWith('groups of ')) process.stdout.write(`${groupsMemory(only.slice(10))}\n`);
else {
  for (const load of loadsOf(only)) {
    process.stdout.write(
      `${load.name.padEnd(50)} ${throughput(load).toLocaleString('en').padStart(12)} events per CPU-second\n`,
    );
  }
  for (const type of only === '' ? ['event_count', 'value_count', 'temporal_ordered'] : []) {
    process.stdout.write(`${type}, ${ofOwn(`groups of ${type}`, options.checkout)}`);
  }
}

function loadsOf(beginning: string): readonly Load[] {
  return loads.filter(({ name }) => name.startsWith(beginning));
}

/** What this bench prints about another load, in a process of its own. */
function ofOwn(name: string, checkout: string): string {
  const args = [import.meta.filename, '--checkout', checkout, name];
  return execFileSync(process.execPath, args, { encoding: 'utf8' });
}

function compare({ name }: Load, other: string): void {
  const rounds = Array.from({ length: Number(options.rounds) }, (_, round) => {
    const checkouts = round % 2 === 0 ? [options.checkout, other] : [other, options.checkout];
    const figures = checkouts.map((each) => Number(/([\d,]+) events/.exec(ofOwn(name, each))![1]!.replaceAll(',', '')));
    const [here, there] = (round % 2 === 0 ? figures : figures.reverse()) as [number, number];
    return { here, there, ratio: here / there };
  });
  const median = (list: readonly number[]) => [...list].sort((a, b) => a - b)[list.length >> 1]!;
  const [here, there] = [rounds.map((round) => round.here), rounds.map((round) => round.there)].map(median) as [
    number,
    number,
  ];
  const ratios = rounds.map(({ ratio }) => ratio.toFixed(2)).join(' ');
  const figures = `${here.toLocaleString('en')} and ${there.toLocaleString('en')} events per CPU-second (medians)`;
  process.stdout.write(`${name.padEnd(50)} ${figures}, ratios ${ratios}\n`);
}

function throughput(load: Load): number {
  const correlator = correlatorOf(load);
  collectGarbage();
  const micros = feedAll(correlator, load);
  return Math.round((load.events / micros) * 1e6);
}

/** In a process of its own, as V8 gives little back of what other loads took. */
function groupsMemory(type: string): string {
  const condition = type === 'value_count' ? '{field: v, gte: 3}' : type === 'event_count' ? '{gte: 3}' : '';
  const events = 1_000_000;
  const load = { name: '', type, condition, timespan: '10d', events, rate: 10_000, groups: events, values: events };
  collectGarbage();
  const before = process.memoryUsage().rss;
  const correlator = correlatorOf(load);
  feedAll(correlator, load);
  correlator.advance(2n * 10n ** 18n);
  correlator.settle();
  const mebibytes = (bytes: number) => Math.round(bytes / 2 ** 20).toLocaleString('en');
  const peak = process.resourceUsage().maxRSS * 1024 - before;
  collectGarbage();
  const { rss, heapUsed } = process.memoryUsage();
  const groups = correlator.evaluators()[0]!.groups.toLocaleString('en');
  return `${groups} groups: ${mebibytes(rss - before)} MiB of RSS growth, peak ${mebibytes(peak)}, heap ${mebibytes(heapUsed)}`;
}

/**
 * The events of a batch are made right before it is fed: in the pipeline even each right before itself, so that the caches still have it and the
 * garbage collector seldom sees it. Gives the microseconds of processor time without making them.
 */
function feedAll(correlator: Correlating.Correlator, load: Load): number {
  let micros = 0;
  for (let from = 0; from < load.events; from += batchEvents) {
    const batch = Array.from({ length: Math.min(batchEvents, load.events - from) }, (_, at) =>
      eventOf(load, from + at),
    );
    const before = process.cpuUsage();
    for (const event of batch) correlator.add(event);
    correlator.observe('a', batch.at(-1)!.timeNanos);
    correlator.settle();
    const { user, system } = process.cpuUsage(before);
    micros += user + system;
  }
  return micros;
}

function correlatorOf({ type, condition, timespan }: Load): Correlating.Correlator {
  const names = type.startsWith('temporal') ? ['a', 'b', 'c'] : ['a'];
  const bases = names.map(
    (name) =>
      `title: ${name}\nname: ${name}\nlogsource: {product: ai_agent, category: tool}\ndetection: {s: {gen_ai.tool.name: ${name}}, condition: s}\n`,
  );
  const line = condition === '' ? '' : `  condition: ${condition}\n`;
  const rule = `title: the rule\nname: the_rule\ncorrelation:\n  type: ${type}\n  rules: [${names.join(', ')}]\n  group-by: [g]\n  timespan: ${timespan}\n${line}`;
  const { correlations, report } = loadRules([{ path: 'r.yml', text: [...bases, rule].join('---\n') }]) as never as {
    correlations: never[];
    report: unknown;
  };
  if (correlations.length !== 1) throw new Error(`the rule of ${type} does not load: ${JSON.stringify(report)}`);
  return new Correlator({
    correlations,
    allowedLatenessNanos: 30n * second,
    bounds: { groupsMax: limits.correlationGroupsMax },
  });
}

function eventOf({ type, rate, groups, values = 1 }: Load, index: number): CorrelationEvent {
  const scattered = (index * 7_919) % 1_000_003;
  const timeNanos = 1_700_000_000n * second + (BigInt(index) * second) / BigInt(rate) + BigInt(scattered % 1_000);
  const value = (index * 104_729) % values;
  const hex = index.toString(16);
  const conversation = plain(`conversation-${scattered % groups}`);
  return {
    timeNanos,
    startNanos: timeNanos - 1_000_000n,
    span: {
      traceId: plain(hex.padStart(32, '0')),
      spanId: plain(hex.padStart(16, '0')),
      spanName: 'execute_tool',
      serviceName: 'a-service',
      agentName: 'an-agent',
      conversationId: conversation,
      userId: '',
      toolName: 'read_file',
      endNanos: timeNanos,
    },
    parts: [
      {
        correlation: 0,
        groups: [
          {
            texts: [conversation],
            members: type.startsWith('temporal') ? 1 << (scattered % 3) : 1,
            values: !type.startsWith('value_') ? [] : type === 'value_count' ? [plain(`value-${value}`)] : [value],
          },
        ],
      },
    ],
  };
}

/** A text as decoding makes it: its characters and nothing that it was put together of. */
function plain(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: object) => void;
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
