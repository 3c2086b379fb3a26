import { Counter, Gauge, Registry } from 'prom-client';
import { TraceDecoder } from '../../collector/src/decode/trace-decoder.ts';
import { MetricIntake } from '../../collector/src/metric-intake.ts';
import type { Case } from '../../collector/src/model/case.ts';
import { createFieldTable } from '../../collector/src/model/fields.ts';
import type { RuleState, RuleStatsDelta } from '../../collector/src/model/rule-health.ts';
import type { Rows } from '../../collector/src/model/spool.ts';
import { registryAsOtlp } from '../../collector/src/own-metrics/otlp.ts';
import { encodeCases } from '../../collector/src/store/rows/cases.ts';
import { SpanRowEncoder } from '../../collector/src/store/rows/otel-traces.ts';
import { encodeRuleStates, encodeRuleStats } from '../../collector/src/store/rows/rule-health.ts';
import { otlpProtobuf } from '../../collector/src/testing/otlp.ts';
import { openCase } from './grafana-data.ts';

// States that alerts are about, as rows that the collector's own encoders make.

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const now = Date.now();

interface Measured {
  readonly collector: string;
  readonly minutesAgo: number;
  /** When the collector was started; long ago unless said otherwise. */
  readonly startedMinutesAgo?: number;
  readonly counters?: Readonly<Record<string, readonly Value[]>>;
  readonly gauges?: Readonly<Record<string, readonly Value[]>>;
}

type Value = number | readonly [labels: Readonly<Record<string, string>>, value: number];

/** A batch of own metrics, as a collector would have written it then. */
export async function ownMetrics(measured: Measured): Promise<Rows[]> {
  const { collector, minutesAgo, startedMinutesAgo = 600, counters = {}, gauges = {} } = measured;
  const registry = new Registry();
  for (const [Kind, metrics] of [
    [Counter, counters],
    [Gauge, gauges],
  ] as const) {
    for (const [name, values] of Object.entries(metrics)) {
      const each = values.map((value) => (typeof value === 'number' ? ([{}, value] as const) : value));
      const labelNames = Object.keys(each[0]?.[0] ?? {});
      const metric = new Kind({ name, help: 'h', labelNames, registers: [registry] });
      for (const [labels, value] of each) metric.inc(labels, value);
    }
  }
  const nanosOf = (minutes: number) => BigInt(now - minutes * minuteMs) * 1_000_000n;
  const { bytes } = registryAsOtlp(await registry.getMetricsAsJSON(), {
    resource: { 'service.name': 'spanwarden-collector', 'service.instance.id': collector },
    scope: { name: 'spanwarden.collector', version: '1' },
    ...{ startNanos: nanosOf(startedMinutesAgo), nowNanos: nanosOf(minutesAgo), pointsMax: 1000 },
  });
  const intake = new MetricIntake(createFieldTable());
  const decoded = intake.decode('protobuf', bytes);
  if (decoded.status !== 'ok') throw new Error(decoded.message);
  return intake.take(decoded.batch, { fromMs: now - 2 * dayMs, toMs: now + dayMs });
}

/** One span in each of these hours ago. */
export function spansOf(service: string, agent: string, hoursAgo: readonly number[]): Rows {
  const spans = hoursAgo.map((hours) => ({
    name: 'invoke_agent',
    startNanos: BigInt(Math.round(now - hours * hourMs)) * 1_000_000n,
    attributes: { 'gen_ai.agent.name': agent },
  }));
  const fields = createFieldTable();
  const decoded = new TraceDecoder(fields).decode(otlpProtobuf(spans, { 'service.name': service }));
  if (decoded.status !== 'ok') throw new Error(decoded.message);
  return new SpanRowEncoder(fields).encode(decoded.batch, { fromMs: now - 7 * dayMs, toMs: now + dayMs });
}

export function casesOf(changed: Readonly<Record<string, Partial<Case>>>): Rows {
  return encodeCases(
    Object.entries(changed).map(([id, change]) => ({ ...openCase, id, chainIds: [id], level: 'medium', ...change })),
  );
}

export function rulesOf(states: Readonly<Record<string, RuleState['state']>>): Rows {
  const rows = Object.entries(states).map(([ruleId, state]) => ({
    ...{ ruleId, ruleName: '', ruleTitle: ruleId, ruleVersion: 'v1', formerIds: [], level: 'high' as const },
    ...{ state, reason: '' },
  }));
  return encodeRuleStates(rows, now);
}

export function ruleErrors(ruleId: string, errors: number, hoursAgo: number): Rows {
  const asked: RuleStatsDelta = {
    ...{ ruleId, ruleVersion: 'v1', agentName: '', filterId: '', spans: 10, candidates: 10, matches: 0, findings: 0 },
    ...{ suppressed: 0, errors, sampledSpans: 0, sampledNanos: 0, lastMatchNanos: 0n },
  };
  return encodeRuleStats([asked], now - hoursAgo * hourMs);
}
