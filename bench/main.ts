// `npm run bench`: measures the stages and the whole collector and prints tables; with --json one object. Figures that
// were kept stand in bench/README.md.

import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { gunzipSync } from 'node:zlib';
import { readRuleFiles, shippedRulesPath } from '../collector/src/cli/load-rules.ts';
import { loadRules } from '../collector/src/detect/load.ts';
import { type CollectorFigure, measureCollector } from './collector.ts';
import { makeBodies, spanSizes } from './spans.ts';
import { measureStages, type StageFigure } from './stages.ts';

const json = process.argv.includes('--json');
const quick = process.argv.includes('--quick');
const say = (text: string) => process.stderr.write(`${text}\n`);

const machine = `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`;
const stages: Record<string, StageFigure[]> = {};
for (const size of spanSizes) {
  say(`stages, spans of ${size} bytes …`);
  stages[`${size} B`] = measureStages(makeBodies(size, size > 3_000 ? 8 : 16, size > 3_000 ? 64 : 512), quick ? 1 : 5);
}
say('stages, recorded spans …');
stages.recorded = measureStages([recorded()], quick ? 1 : 5);
const whole: CollectorFigure[] = [];
for (const size of spanSizes) {
  say(`whole collector, spans of ${size} bytes …`);
  const bodies = Math.round((quick ? 40 : 400) / (size > 3_000 ? 8 : size > 700 ? 2 : 1));
  for (const rules of ['15 rules', 'shipped rules'] as const) {
    whole.push(await measureCollector(size, bodies, size > 3_000 ? 64 : 512, rules));
  }
}
if (json)
  process.stdout.write(`${JSON.stringify({ machine, date: new Date().toISOString(), stages, collector: whole })}\n`);
else print();

/** The spans of the demo's two runs, as the instrumentation sent them; see test/fixtures/traces/demo/README.md. */
function recorded(): Buffer {
  return gunzipSync(readFileSync(new URL('../test/fixtures/traces/demo/requests.pb.gz', import.meta.url)));
}

function shippedRules(): number {
  const { rules, correlations } = loadRules(readRuleFiles([shippedRulesPath()]).rules);
  return rules.length + correlations.length;
}

function print(): void {
  const out = [`${machine}\n`, 'Stages, spans per CPU-second (one process, its own CPU time):'];
  for (const [size, figures] of Object.entries(stages)) {
    for (const { stage, spansPerCpuSecond } of figures) {
      out.push(`  ${size.padEnd(9)} ${stage.padEnd(46)} ${spansPerCpuSecond.toLocaleString('en').padStart(10)}`);
    }
  }
  out.push(
    '',
    'Whole collector, OTLP/HTTP protobuf + gzip → fsynced → rows in embedded ClickHouse,',
    `with 15 detection rules, and with all ${shippedRules()} that ship (correlations among them):`,
  );
  for (const it of whole) {
    out.push(
      `  ${String(it.size).padStart(6)} B  ${it.rules.padEnd(13)}  ${it.spansPerCpuSecond.toLocaleString('en')} spans per CPU-second of the collector ` +
        `(${it.spansPerCpuSecondWithClickhouse.toLocaleString('en')} with ClickHouse), ${it.spansPerSecond.toLocaleString('en')}/s, ` +
        `ack p50 ${it.ackP50Ms} ms, p99 ${it.ackP99Ms} ms, peak ${it.peakMemoryMiB} MiB, lost ${it.lost}`,
    );
  }
  process.stdout.write(`${out.join('\n')}\n`);
}
