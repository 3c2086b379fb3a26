// `node bench/quality.ts <folder> [set …] [--json] [--rules <path>]`: sends labelled traces through decode, normalise and
// detect, and prints for each set which share of its traces the rules fire on. See bench/README.md.

import { parseArgs } from 'node:util';
import { readRuleFiles, shippedRulesPath } from '../collector/src/cli/load-rules.ts';
import { placeholderLists } from '../collector/src/cli/rule-lists.ts';
import { TraceDecoder } from '../collector/src/decode/trace-decoder.ts';
import { createDetector } from '../collector/src/detect/engine.ts';
import { loadRules, type RuleSet } from '../collector/src/detect/load.ts';
import { createFieldTable } from '../collector/src/model/fields.ts';
import type { Finding } from '../collector/src/model/finding.ts';
import { NormalisedEvents } from '../collector/src/normalise/span-events.ts';
import { bodyOf, type DataSet, readDataSets, traceIdOf } from './labelled-traces.ts';

/** How many traces of one label there are, and on how many at least one rule fired. */
interface LabelFigure {
  readonly traces: number;
  readonly fired: { readonly any: number; readonly medium: number; readonly high: number };
  /** Traces by the rule that fired on them, most first. */
  readonly rules: Readonly<Record<string, number>>;
}

interface SetFigure {
  readonly set: string;
  readonly spans: number;
  readonly cpuSeconds: number;
  readonly labels: Readonly<Record<string, LabelFigure>>;
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean' }, rules: { type: 'string' } },
});
const [folder, ...wanted] = positionals;
if (folder === undefined) throw new Error('name a folder with labelled traces, <set>.jsonl or <set>.jsonl.gz');
const files = readRuleFiles([values.rules ?? shippedRulesPath()]);
const rules = loadRules(files.rules, { lists: placeholderLists(files.lists, undefined) });
const figures = readDataSets(folder, wanted).map((set) => measure(set, rules));
process.stdout.write(values.json ? `${JSON.stringify(figures)}\n` : figures.map(printed).join('\n'));

/** Each set starts with a detector that has seen nothing; its traces follow each other in event time. */
function measure(set: DataSet, ruleSet: RuleSet): SetFigure {
  const fields = createFieldTable();
  const decoder = new TraceDecoder(fields);
  const events = new NormalisedEvents(fields);
  const detector = createDetector({ ...ruleSet, fields });
  const found: Finding[] = [];
  let [spans, startNanos, cpuMicros] = [0, 1_767_261_600_000_000_000n, 0];
  for (const trace of set.traces) {
    const body = bodyOf(trace, startNanos);
    const before = process.cpuUsage();
    const outcome = decoder.decode(body);
    if (outcome.status !== 'ok') throw new Error(`${trace.id}: ${outcome.message}`);
    found.push(...detector.detect(events.bind(outcome.batch)));
    const { user, system } = process.cpuUsage(before);
    cpuMicros += user + system;
    spans += outcome.batch.spanCount;
    startNanos += BigInt(outcome.batch.spanCount + 60) * 1_000_000_000n;
  }
  found.push(...detector.flush());
  return { set: set.name, spans, cpuSeconds: cpuMicros / 1e6, labels: byLabel(set, found) };
}

function byLabel(set: DataSet, found: readonly Finding[]): Record<string, LabelFigure> {
  const ofTrace = Map.groupBy(found, ({ traceId }) => traceId);
  const labels: Record<string, LabelFigure> = {};
  for (const [label, traces] of Map.groupBy(set.traces, (trace) => trace.label)) {
    const findings = traces.map((trace) => ofTrace.get(traceIdOf(trace)) ?? []);
    const count = (isWanted: (finding: Finding) => boolean): number =>
      findings.filter((own) => own.some(isWanted)).length;
    const perRule = new Map<string, number>();
    for (const own of findings) {
      for (const title of new Set(own.map(({ ruleTitle }) => ruleTitle)))
        perRule.set(title, (perRule.get(title) ?? 0) + 1);
    }
    const high = (finding: Finding): boolean => finding.level === 'high' || finding.level === 'critical';
    labels[label] = {
      traces: traces.length,
      fired: {
        any: count(() => true),
        medium: count((each) => high(each) || each.level === 'medium'),
        high: count(high),
      },
      rules: Object.fromEntries([...perRule].sort(([, a], [, b]) => b - a)),
    };
  }
  return labels;
}

function printed({ set, spans, cpuSeconds, labels }: SetFigure): string {
  const lines = [`${set}: ${spans} spans, ${cpuSeconds.toFixed(1)} CPU seconds`];
  for (const [label, { traces, fired, rules: perRule }] of Object.entries(labels).sort(([a], [b]) =>
    a < b ? -1 : 1,
  )) {
    const share = (count: number): string => `${count} (${((count / traces) * 100).toFixed(1)} %)`;
    lines.push(
      `  ${label}: ${traces} traces; any ${share(fired.any)}, medium+ ${share(fired.medium)}, high+ ${share(fired.high)}`,
    );
    for (const [title, count] of Object.entries(perRule)) lines.push(`    ${String(count).padStart(5)}  ${title}`);
  }
  return `${lines.join('\n')}\n`;
}
