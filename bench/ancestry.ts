import { randomBytes } from 'node:crypto';
import { cpus } from 'node:os';
import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { readRuleFiles, shippedRulesPath } from '../collector/src/cli/load-rules.ts';
import { TraceDecoder } from '../collector/src/decode/trace-decoder.ts';
import { Ancestry } from '../collector/src/detect/ancestry/ancestry.ts';
import { usesAncestry } from '../collector/src/detect/ancestry/fields.ts';
import { loadRules, type Rule } from '../collector/src/detect/load.ts';
import { createFieldTable } from '../collector/src/model/fields.ts';
import { NormalisedEvents } from '../collector/src/normalise/span-events.ts';

export interface AncestryFigure {
  readonly rules: string;
  readonly microsPerSpan: number;
  /** Of the batch's journal, where rules read other spans. */
  readonly journalBytesPerSpan: number;
  readonly stateBytesPerSpan: number;
}

/** What rules that read other spans cost beyond decoding: none of them, and the shipped ones. Every span is of a trace of eight. */
export function measureAncestry(bodies: readonly Buffer[], rounds = 5): AncestryFigure[] {
  const { rules } = loadRules(readRuleFiles([shippedRulesPath()]).rules);
  const reaching = rules.filter(usesAncestry);
  const sets: readonly (readonly [string, readonly Rule[]])[] = [
    ['none', []],
    [`${reaching.length} shipped`, reaching],
  ];
  return sets.map(([name, set]) => measure(name, set, bodies, rounds));
}

function measure(name: string, rules: readonly Rule[], bodies: readonly Buffer[], rounds: number): AncestryFigure {
  let micros = Number.POSITIVE_INFINITY;
  let journal = 0;
  let state = 0;
  for (let round = 0; round < rounds; round++) {
    const fields = createFieldTable();
    const [decoder, events] = [new TraceDecoder(fields), new NormalisedEvents(fields)];
    const options = { waitNanos: 600_000_000_000n, allowedLatenessNanos: 30_000_000_000n, journalled: true };
    const ancestry = new Ancestry({ rules, fields, ...options });
    let [spent, spans, journalBytes] = [0, 0, 0];
    for (const body of bodies) {
      const outcome = decoder.decode(body);
      if (outcome.status !== 'ok') throw new Error(outcome.message);
      const { spanCount } = outcome.batch;
      events.bind(outcome.batch);
      const before = process.cpuUsage();
      for (let span = 0; span < spanCount; span++) ancestry.add({ events, span, turn: span }, events.categories(span));
      ancestry.settle();
      journalBytes += ancestry.takeJournal().length;
      const { user, system } = process.cpuUsage(before);
      spent += user + system;
      spans += spanCount;
    }
    micros = Math.min(micros, spent / spans);
    journal = journalBytes / spans;
    state = ancestry.stats().bytes / spans;
  }
  const round = (value: number): number => Math.round(value * 100) / 100;
  return {
    rules: name,
    microsPerSpan: round(micros),
    journalBytesPerSpan: Math.round(journal),
    stateBytesPerSpan: Math.round(state),
  };
}

/** Export requests with whole traces: the run of an agent with model and tool calls below it, which end before it. */
export function makeTraces(bodies: number, tracesPerBody: number): Buffer[] {
  const exporter = new InMemorySpanExporter();
  const tracer = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }).getTracer('bench');
  const common = () => ({ 'gen_ai.agent.name': 'support', 'gen_ai.conversation.id': randomBytes(12).toString('hex') });
  return Array.from({ length: bodies }, () => {
    for (let i = 0; i < tracesPerBody; i++) {
      const attributes = { 'gen_ai.operation.name': 'invoke_agent', 'user.id': `u-${i}`, ...common() };
      const run = tracer.startSpan('invoke_agent support', { attributes }, ROOT_CONTEXT);
      const below = trace.setSpan(ROOT_CONTEXT, run);
      for (let step = 0; step < 7; step++) {
        const tool = {
          'gen_ai.operation.name': 'execute_tool',
          'gen_ai.tool.name': 'orders.read',
          'user.id': `u-${i}`,
        };
        const chat = { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'gpt-5' };
        tracer.startSpan('step', { attributes: { ...(step % 2 ? tool : chat), ...common() } }, below).end();
      }
      run.end();
    }
    const body = Buffer.from(ProtobufTraceSerializer.serializeRequest(exporter.getFinishedSpans())!);
    exporter.reset();
    return body;
  });
}

if (import.meta.main) {
  process.stdout.write(`${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}\n`);
  for (const figure of measureAncestry(makeTraces(100, 64))) process.stdout.write(`${JSON.stringify(figure)}\n`);
}
