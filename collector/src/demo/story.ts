import { setTimeout as delay } from 'node:timers/promises';
import type { Finding } from '../model/finding.ts';
import { severityId } from '../model/severity.ts';
import type { StoredCase } from '../store/cases-reader.ts';
import { runAgent } from './agent-run.ts';
import { ticketIds } from './data.ts';
import { startModelServer } from './model-server.ts';
import type { StorySpan } from './shown-spans.ts';
import { type Delivery, startSink } from './sink.ts';

export type RunName = 'A' | 'B';

export interface StoryRun {
  readonly run: RunName;
  readonly ticketId: string;
  readonly answer: string;
  readonly exitCode: number;
  readonly errors: string;
  readonly spans: readonly StorySpan[];
  readonly findings: readonly Finding[];
  /** What the agent sent out of the house. */
  readonly deliveries: readonly Delivery[];
  /** What its findings were made into, read back from ClickHouse. */
  readonly cases: readonly StoredCase[];
  /** Whether all spans and findings of the run were read back from ClickHouse in time. */
  readonly stored: boolean;
}

/** Collects what the collector sees; its two functions are what `startCollector` calls. */
export interface Recorder {
  addSpans(spans: readonly StorySpan[]): void;
  addFindings(findings: readonly Finding[]): void;
  spansOf(run: RunName): readonly StorySpan[];
  findingsOf(run: RunName): readonly Finding[];
  /** Called after each addition, with the run that grew. */
  onChange: (run: RunName) => void;
}

export interface StoryOptions {
  readonly otlpUrl: string;
  readonly recorder: Recorder;
  /** How many of these spans and findings stand in ClickHouse. */
  readonly countStored: (traceIds: readonly string[]) => Promise<{ spans: number; findings: number }>;
  /** The cases of these traces, as they stand in ClickHouse. */
  readonly casesOf: (traceIds: readonly string[]) => Promise<readonly StoredCase[]>;
  readonly onRunStart: (run: RunName, ticketId: string) => void;
  readonly onRunEnd: (run: StoryRun) => void;
  readonly signal: AbortSignal;
}

/** What the model takes to answer, in milliseconds, so that a person can watch the tree grow. */
const modelLatencyMs = 120;
const storedWithinMs = 15_000;
const pollMs = 50;

/** Lets the agent handle the normal ticket (run A), then the injected one (run B). Rejects when the signal aborts. */
export async function playStory(options: StoryOptions): Promise<readonly StoryRun[]> {
  const model = await startModelServer({ latencyMs: modelLatencyMs });
  try {
    const first = await playRun('A', ticketIds.normal, model.url, options);
    return [first, await playRun('B', ticketIds.injected, model.url, options)];
  } finally {
    await model.close();
  }
}

async function playRun(run: RunName, ticketId: string, modelUrl: string, options: StoryOptions): Promise<StoryRun> {
  const { otlpUrl, recorder, signal } = options;
  options.onRunStart(run, ticketId);
  const sink = await startSink();
  try {
    const agent = await runAgent({ ticketId, otlpUrl, modelUrl, sinkUrl: sink.url, run: instanceId(run), signal });
    const stored = await waitUntilStored(run, options);
    const result = {
      ...agent,
      run,
      ticketId,
      spans: recorder.spansOf(run),
      findings: recorder.findingsOf(run),
      deliveries: sink.deliveries,
      stored,
      cases: await casesOfRun(run, options),
    };
    options.onRunEnd(result);
    return result;
  } finally {
    await sink.close();
  }
}

/** The agent flushes before it exits, so by now every span has been acknowledged; reading it back takes a moment more. */
async function waitUntilStored(run: RunName, options: StoryOptions): Promise<boolean> {
  const deadline = performance.now() + storedWithinMs;
  for (;;) {
    const spans = options.recorder.spansOf(run);
    const traceIds = [...new Set(spans.map((span) => span.traceId))];
    const stored = await options.countStored(traceIds);
    const findings = options.recorder.findingsOf(run).length;
    if (spans.length > 0 && stored.spans >= spans.length && stored.findings >= findings) return true;
    if (performance.now() >= deadline) return false;
    await delay(pollMs, undefined, { signal: options.signal });
  }
}

/** Findings below medium open no case; those that belong to one are in it a moment after they were stored. */
async function casesOfRun(run: RunName, { recorder, casesOf, signal }: StoryOptions): Promise<readonly StoredCase[]> {
  const deadline = performance.now() + storedWithinMs;
  const traceIds = [...new Set(recorder.spansOf(run).map((span) => span.traceId))];
  const findings = new Set(recorder.findingsOf(run).map(({ id }) => id));
  const expected = recorder.findingsOf(run).some(({ level }) => severityId(level) >= severityId('medium'));
  for (;;) {
    const cases = await casesOf(traceIds);
    const told = cases.reduce((sum, each) => sum + each.findings, 0);
    if (!expected || told >= findings.size || performance.now() >= deadline) return cases;
    await delay(pollMs, undefined, { signal });
  }
}

/** Findings carry no instance id; they belong to the run that their trace belongs to. */
export function createRecorder(): Recorder {
  const spans: StorySpan[] = [];
  /** By id: a finding comes again when it has been seen again. */
  const findings = new Map<string, Finding>();
  const recorder: Recorder = {
    onChange: () => {},
    addSpans(added) {
      spans.push(...added);
      for (const run of runsOf(added)) recorder.onChange(run);
    },
    addFindings(added) {
      for (const finding of added) findings.set(finding.id, finding);
      const traces = new Set(added.map((finding) => finding.traceId));
      for (const run of runsOf(spans.filter((span) => traces.has(span.traceId)))) recorder.onChange(run);
    },
    spansOf: (run) => spans.filter((span) => span.run === instanceId(run)),
    findingsOf(run) {
      const traces = new Set(recorder.spansOf(run).map((span) => span.traceId));
      return [...findings.values()].filter((finding) => traces.has(finding.traceId));
    },
  };
  return recorder;
}

function runsOf(spans: readonly StorySpan[]): readonly RunName[] {
  const instances = new Set(spans.map((span) => span.run));
  return (['A', 'B'] as const).filter((run) => instances.has(instanceId(run)));
}

function instanceId(run: RunName): string {
  return `demo-run-${run.toLowerCase()}`;
}
