import { parseArgs } from 'node:util';
import { TraceDecoder } from '../collector/src/decode/trace-decoder.ts';
import { createDetector, type Detector } from '../collector/src/detect/engine.ts';
import { loadRules } from '../collector/src/detect/load.ts';
import { createFieldTable } from '../collector/src/model/fields.ts';
import { NormalisedEvents } from '../collector/src/normalise/span-events.ts';
import { otlpProtobuf } from '../collector/src/testing/otlp.ts';

/**
 * What keeping the memory of correlations costs: bytes of journal for each event, how long detection stands still for the
 * turns in which a checkpoint is written, what batches cost meanwhile, and how long a start takes, and a detector with other rules but
 * the same correlations that takes over. `--groups 10000,100000` says how many groups there are.
 */
const { values } = parseArgs({ options: { groups: { type: 'string', default: '10000,100000,1000000' } } });

const count = 'type: event_count, rules: [call], timespan: 1h, condition: {gte: 20}';
const ways = 'type: value_count, rules: [call], timespan: 1h, condition: {gte: 9, field: gen_ai.tool.name}';
const correlations = [
  `{${count}, group-by: [gen_ai.conversation.id]}`,
  `{${count}, group-by: [gen_ai.conversation.id, gen_ai.agent.name]}`,
  `{${count}, group-by: [gen_ai.conversation.id, service.name]}`,
  `{${ways}, group-by: [gen_ai.conversation.id]}`,
  `{${ways}, group-by: [user.id, gen_ai.conversation.id]}`,
];
const rules = loadRules([
  {
    path: 'bench.yml',
    text: [
      `
title: Call
name: call
logsource: {product: ai_agent, category: tool}
detection: {s: {gen_ai.operation.name: execute_tool}, condition: s}
`,
      ...correlations.map((text, index) => `\ntitle: Correlation ${index}\ncorrelation: ${text}\n`),
    ].join('---'),
  },
]);
const batchSpans = 512;
const eventsPerGroup = 3;
/** As the keeper does it. */
const turnMs = 8;

function fresh(): { readonly detector: Detector; readonly detect: (batch: Buffer) => void } {
  const fields = createFieldTable();
  const detector = createDetector({ ...rules, fields, journal: true });
  const [decoder, events] = [new TraceDecoder(fields), new NormalisedEvents(fields)];
  const detect = (bytes: Buffer): void => {
    const decoded = decoder.decode(bytes);
    if (decoded.status === 'ok') detector.detect(events.bind(decoded.batch));
  };
  return { detector, detect };
}

/** Spans a millisecond after each other; conversations take turns. */
function batchAt(start: number, groups: number): Buffer {
  return otlpProtobuf(
    Array.from({ length: batchSpans }, (_, place) => {
      const number = start + place;
      const endNanos = 1_900_000_000_000_000_000n + BigInt(number) * 1_000_000n;
      const attributes = {
        'gen_ai.operation.name': 'execute_tool',
        'gen_ai.tool.name': `tool-${number % 7}`,
        'gen_ai.agent.name': 'support',
        'gen_ai.conversation.id': `conversation-${number % groups}`,
        'user.id': `user-${number % 1000}`,
      };
      const spanId = number.toString(16).padStart(16, '0');
      return { name: 'execute_tool', spanId, startNanos: endNanos - 1n, endNanos, attributes };
    }),
  );
}

/** Milliseconds of processor time, which other work on the machine does not change much. */
function timed<T>(work: () => T): readonly [T, number] {
  const from = process.threadCpuUsage();
  const result = work();
  const { user, system } = process.threadCpuUsage(from);
  return [result, (user + system) / 1000];
}

/** Middle and largest, in whole milliseconds. */
function spread(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  return `${sorted[sorted.length >> 1]!.toFixed(0)} / ${sorted.at(-1)!.toFixed(0)} ms`;
}

/** Writes a checkpoint while batches come, one after each turn, as they do at a high rate. */
function checkpoint(detector: Detector, detectNext: () => void) {
  const pieces: Uint8Array[] = [];
  const turns: number[] = [];
  const [slices, beginMs] = timed(() => detector.slices());
  let isLeft = true;
  while (isLeft) {
    const [, ms] = timed(() => {
      const until = performance.now() + turnMs;
      do {
        const piece = slices.next();
        isLeft = piece !== undefined;
        if (piece) pieces.push(piece);
      } while (isLeft && performance.now() < until);
    });
    turns.push(ms);
    if (isLeft) detectNext();
  }
  return { snapshot: Buffer.concat(pieces), turns: [beginMs, ...turns] };
}

process.stdout.write(
  '| groups | journal bytes per event | pause, p50 / max | all turns | a batch of 512 spans before, p50 / max | during | checkpoint | restore | reload |\n' +
    '|---|---|---|---|---|---|---|---|---|\n',
);
for (const wanted of values.groups.split(',').map(Number)) {
  const { detector, detect } = fresh();
  const conversations = wanted / correlations.length;
  let [journalBytes, start] = [0, 0];
  const before: number[] = [];
  const detectNext = (): void => {
    const batch = batchAt(start, conversations);
    start += batchSpans;
    before.push(timed(() => detect(batch))[1]);
    journalBytes += detector.takeJournal().length;
  };
  while (start < conversations * eventsPerGroup) detectNext();
  const perEvent = journalBytes / start;
  const usual = before.slice(-100);
  detector.advance(detector.newestNanos + 31_000_000_000n);
  const groups = detector.correlationStats().rules.reduce((sum, rule) => sum + rule.groups, 0);
  before.length = 0;
  const { snapshot, turns } = checkpoint(detector, detectNext);
  const [, restoreMs] = timed(() => fresh().detector.restore(snapshot));
  const next = fresh().detector;
  const [, reloadMs] = timed(() => next.takeOver(detector));
  const cells = [
    ...[groups.toLocaleString('en'), perEvent.toFixed(0), spread(turns)],
    `${turns.reduce((sum, ms) => sum + ms, 0).toFixed(0)} ms`,
    ...[spread(usual), spread(before)],
    ...[`${(snapshot.length / 2 ** 20).toFixed(1)} MiB`, `${restoreMs.toFixed(0)} ms`, `${reloadMs.toFixed(2)} ms`],
  ];
  process.stdout.write(`| ${cells.join(' | ')} |\n`);
}
