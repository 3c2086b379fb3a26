import { parseArgs } from 'node:util';
import { TraceDecoder } from '../collector/src/decode/trace-decoder.ts';
import { createDetector, type Detector } from '../collector/src/detect/engine.ts';
import { loadRules } from '../collector/src/detect/load.ts';
import { createFieldTable } from '../collector/src/model/fields.ts';
import { NormalisedEvents } from '../collector/src/normalise/span-events.ts';
import { otlpProtobuf } from '../collector/src/testing/otlp.ts';

/**
 * What keeping the memory of correlations costs: bytes of journal for each event, how long detection stands still for a
 * checkpoint, and how long a start takes. `--groups 10000,100000` says how many groups there are.
 */
const { values } = parseArgs({ options: { groups: { type: 'string', default: '10000,100000' } } });

const rules = loadRules([
  {
    path: 'bench.yml',
    text: `
title: Call
name: call
logsource: {product: ai_agent, category: tool}
detection: {s: {gen_ai.operation.name: execute_tool}, condition: s}
---
title: Many
correlation: {type: event_count, rules: [call], group-by: [gen_ai.conversation.id], timespan: 1h, condition: {gte: 20}}
---
title: Ways
correlation: {type: value_count, rules: [call], group-by: [user.id, gen_ai.conversation.id], timespan: 1h, condition: {gte: 9, field: gen_ai.tool.name}}
`,
  },
]);
const batchSpans = 512;
const eventsPerGroup = 3;

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

process.stdout.write(
  '| groups | journal bytes per event | pause | checkpoint | restore | replay of as many events |\n|---|---|---|---|---|---|\n',
);
for (const wanted of values.groups.split(',').map(Number)) {
  const { detector, detect } = fresh();
  const journals: Uint8Array[] = [];
  // Two correlations, so half as many conversations.
  const spans = (wanted / 2) * eventsPerGroup;
  for (let start = 0; start < spans; start += batchSpans) {
    detect(batchAt(start, wanted / 2));
    journals.push(detector.takeJournal());
  }
  detector.advance(detector.newestNanos + 31_000_000_000n);
  detector.takeJournal();
  const groups = detector.correlationStats().rules.reduce((sum, rule) => sum + rule.groups, 0);
  const bytes = journals.reduce((sum, { length }) => sum + length, 0);
  const pauses = Array.from({ length: 5 }, () => timed(() => detector.snapshot()));
  const pauseMs = pauses.map(([, ms]) => ms).sort((a, b) => a - b)[2]!;
  const snapshot = pauses[0]![0];
  const [, restoreMs] = timed(() => fresh().detector.restore(snapshot));
  const again = fresh().detector;
  const [, replayMs] = timed(() => {
    for (const journal of journals) again.replay(journal);
  });
  const mebibytes = (snapshot.length / 2 ** 20).toFixed(1);
  process.stdout.write(
    `| ${groups} | ${(bytes / spans).toFixed(0)} | ${pauseMs.toFixed(0)} ms | ${mebibytes} MiB | ${restoreMs.toFixed(0)} ms | ${replayMs.toFixed(0)} ms |\n`,
  );
}
