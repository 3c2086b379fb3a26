// `node bench/facts.ts [--quick] [--each]`: derived facts of new spans, small ones and ones with 10 KB of new text; with `--each`
// what single facts cost. See bench/README.md.

import { readRuleFiles, shippedRulesPath } from '../collector/src/cli/load-rules.ts';
import { TraceDecoder } from '../collector/src/decode/trace-decoder.ts';
import { createFieldTable } from '../collector/src/model/fields.ts';
import { NormalisedEvents } from '../collector/src/normalise/span-events.ts';
import { storedFacts } from '../collector/src/normalise/stored-facts.ts';
import { taxonomy } from '../collector/src/normalise/taxonomy.ts';
import { makeBodies } from './spans.ts';

const quick = process.argv.includes('--quick');
const rounds = quick ? 1 : 3;
const secondsMin = quick ? 0.2 : 1;

const allFacts = taxonomy.filter(({ kind, open }) => kind === 'fact' && !open).map(({ name }) => name);
const ruleTexts = readRuleFiles([shippedRulesPath()]).rules.map(({ text }) => text);
const askedByRules = allFacts.filter((name) => ruleTexts.some((text) => text.includes(name)));
const asked: readonly (readonly [what: string, names: readonly string[]])[] = [
  ['no fact (normalise only)', []],
  ['facts stored with spans', storedFacts],
  ['facts that shipped rules name', askedByRules],
  ['all facts', allFacts],
];

/** Bytes of a span; one in three is a tool call, the others are model calls. */
const sizes = { small: 700, '10 KB': 11_100 } as const;
type Size = keyof typeof sizes;

for (const size of Object.keys(sizes) as Size[]) {
  for (const [what, names] of asked) {
    process.stdout.write(
      `${size.padEnd(6)} ${what.padEnd(30)} ${String(perCpuSecond(size, names)).padStart(9)} spans/CPU-s\n`,
    );
  }
}
if (process.argv.includes('--each')) costOfEach();

/** Decoding is included, because values are read from the bytes when somebody asks. No two spans have the same texts. */
function perCpuSecond(size: Size, names: readonly string[]): number {
  const fields = createFieldTable();
  const decoder = new TraceDecoder(fields);
  const events = new NormalisedEvents(fields);
  const ids = names.map((name) => fields.intern(name));
  // More text than is remembered of late, so that none comes again while it still is.
  const bodies = size === 'small' ? makeBodies(sizes[size], 100, 512) : makeBodies(sizes[size], 10, 64);
  let best = 0;
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage();
    let spans = 0;
    do {
      for (const body of bodies) {
        const outcome = decoder.decode(body);
        if (outcome.status !== 'ok') throw new Error(outcome.message);
        events.bind(outcome.batch);
        for (let span = 0; span < outcome.batch.spanCount; span++) {
          events.categories(span);
          for (const id of ids) events.value(span, id);
        }
        spans += outcome.batch.spanCount;
      }
    } while (cpuSeconds(before) < secondsMin);
    best = Math.max(best, spans / cpuSeconds(before));
  }
  return Math.round(best);
}

function costOfEach(): void {
  for (const size of Object.keys(sizes) as Size[]) {
    const base = 1e6 / perCpuSecond(size, []);
    const costs = allFacts.map((name) => [name, 1e6 / perCpuSecond(size, [name]) - base] as const);
    for (const [name, micros] of costs.sort(([, a], [, b]) => b - a).slice(0, 20)) {
      process.stdout.write(`${size}  ${micros.toFixed(1).padStart(8)} µs  ${name}\n`);
    }
  }
}

function cpuSeconds(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
