import { readRuleFiles, shippedRulesPath } from '../collector/src/cli/load-rules.ts';
import { TraceDecoder } from '../collector/src/decode/trace-decoder.ts';
import { createDetector } from '../collector/src/detect/engine.ts';
import { loadRules, type RuleSource } from '../collector/src/detect/load.ts';
import { createFieldTable } from '../collector/src/model/fields.ts';
import type { SpanBatch } from '../collector/src/model/span-batch.ts';
import { NormalisedEvents } from '../collector/src/normalise/span-events.ts';
import { createRedactor } from '../collector/src/redact/row-redactor.ts';
import { SpanRowEncoder } from '../collector/src/store/rows/otel-traces.ts';

export interface StageFigure {
  readonly stage: string;
  readonly spansPerCpuSecond: number;
}

const dayMs = 86_400_000;

/**
 * Single-process figures of the stages on given bodies: each stage runs after the ones it needs, and what they cost is
 * part of its figure. CPU time of the whole process, garbage collection included; best of `rounds`.
 */
export function measureStages(bodies: readonly Buffer[], rounds = 5): StageFigure[] {
  const fields = createFieldTable();
  const decoder = new TraceDecoder(fields);
  const encoder = new SpanRowEncoder(fields);
  const events = new NormalisedEvents(fields);
  const redacting = (profile: 'secrets' | 'secrets_and_pii' | 'metadata_only') =>
    new SpanRowEncoder(fields, [], createRedactor({ profile, key: Buffer.alloc(32, 1), fields }));
  const [secrets, pii, metadata] = [redacting('secrets'), redacting('secrets_and_pii'), redacting('metadata_only')];
  const range = { fromMs: Date.now() - 30 * dayMs, toMs: Date.now() + dayMs };
  const few = createDetector({ ...loadRules(rulesTimes(15)), fields });
  const many = createDetector({ ...loadRules(rulesTimes(150)), fields });
  const stages: [string, (batch: SpanBatch) => void][] = [
    ['decode', () => {}],
    ['decode + transcode', (batch) => encoder.encode(batch, range)],
    ['decode + transcode, redact: secrets', (batch) => secrets.encode(batch, range)],
    ['decode + transcode, redact: secrets_and_pii', (batch) => pii.encode(batch, range)],
    ['decode + transcode, redact: metadata_only', (batch) => metadata.encode(batch, range)],
    ['decode + detect, 15 rules', (batch) => few.detect(events.bind(batch))],
    ['decode + detect, 150 rules', (batch) => many.detect(events.bind(batch))],
    [
      'all: decode, detect with 15 rules, transcode',
      (batch) => {
        few.detect(events.bind(batch));
        encoder.encode(batch, range);
      },
    ],
  ];
  return stages.map(([stage, work]) => {
    const once = () => bodies.reduce((spans, body) => spans + run(decoder, body, work), 0);
    once();
    let best = 0;
    for (let round = 0; round < rounds; round++) {
      const before = process.cpuUsage();
      let spans = 0;
      do spans += once();
      while (cpuSeconds(before) < 0.5);
      best = Math.max(best, spans / cpuSeconds(before));
    }
    return { stage, spansPerCpuSecond: Math.round(best) };
  });
}

function run(decoder: TraceDecoder, body: Buffer, work: (batch: SpanBatch) => void): number {
  const outcome = decoder.decode(body);
  if (outcome.status !== 'ok') throw new Error(outcome.message);
  work(outcome.batch);
  return outcome.batch.spanCount;
}

function cpuSeconds(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/**
 * Exactly `count` detection rules: the shipped ones that stand alone, over and over under new ids; the engine shares
 * nothing between copies. Files with correlations, and rules that read other spans, are left to the bench of the whole collector.
 */
export function rulesTimes(count: number): RuleSource[] {
  const shipped = readRuleFiles([shippedRulesPath()]).rules.filter(
    ({ text }) => !/^correlation:|\b(?:parent|root|ancestor)\.[a-z]/m.test(text),
  );
  return Array.from({ length: count }, (_, i) => {
    const { path, text } = shipped[i % shipped.length]!;
    const suffix = String(i).padStart(12, '0');
    return {
      path: `${path}#${i}`,
      text: text
        .replace(/^id: .*$/m, `id: 00000000-0000-4000-8000-${suffix}`)
        .replace(/^name: (.*)$/m, `name: $1_${i}`),
    };
  });
}
