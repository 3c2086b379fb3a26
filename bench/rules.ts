import { parseArgs } from 'node:util';
import { TraceDecoder } from '../collector/src/decode/trace-decoder.ts';
import { createDetector } from '../collector/src/detect/engine.ts';
import { loadRules, type RuleSource } from '../collector/src/detect/load.ts';
import { createFieldTable } from '../collector/src/model/fields.ts';
import { NormalisedEvents } from '../collector/src/normalise/span-events.ts';
import { makeBodies, vocabulary } from './spans.ts';
import { rulesTimes } from './stages.ts';

/**
 * What many rules cost. Rules that differ in all their texts, of the kinds that public rule sets consist of; their words begin like
 * those of which the spans are made, so that beginnings occur everywhere and whole words do not. With `--load <count>` so many on texts
 * only are loaded, and nothing else is measured.
 */
const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, load: { type: 'string' } } });
const bodies = makeBodies(3_000, 8, 512);
const single = makeBodies(3_000, 1, 1);

/** A generator with a seed, so that every run has the same rules. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** `count` rules; `textOnly` leaves out those that ask for a tool by its name. */
function distinctRules(count: number, textOnly: boolean): RuleSource[] {
  const next = random(7);
  const words = vocabulary.filter((word) => word.length > 4);
  const word = () => `${words[Math.floor(next() * words.length)]!}${Math.floor(next() * 1000)}`;
  const phrase = () => `${word()} ${word()} ${word()}`;
  const list = (length: number) => Array.from({ length }, () => `      - '${phrase()}'`).join('\n');
  const field = () => `spanwarden.text.${['user', 'tool_result', 'output', 'arguments'][Math.floor(next() * 4)]}`;
  return Array.from({ length: count }, (_, i) => {
    const tool = textOnly || i % 2 === 0 ? '' : `    gen_ai.tool.name|startswith: '${word()}.'\n`;
    const regex = i % 5 === 0 ? `  regex:\n    ${field()}|re: '${word()}\\s+${word()}[0-9]{2,4}'\n` : '';
    const detection = `  words:\n${tool}    ${field()}|contains:\n${list(8)}\n  more:\n    ${field()}|contains|all:\n${list(2)}\n${regex}`;
    const condition = `(words or more)${regex === '' ? '' : ' or regex'}`;
    return {
      path: `rule-${i}.yml`,
      text: `title: Rule ${i}\nid: 00000000-0000-4000-8000-${String(i).padStart(12, '0')}\nlogsource: {product: ai_agent, category: any}\ndetection:\n${detection}  condition: ${condition}\n`,
    };
  });
}

function cpuSeconds(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

interface RulesFigure {
  readonly what: string;
  /** From the texts of the rules to the first span judged. */
  readonly loadSeconds: number;
  /** Of the best round; 0 before the first. */
  spansPerCpuSecond: number;
  readonly mebibytes: number;
}

interface Loaded {
  readonly figure: RulesFigure;
  /** Judges spans for a while. */
  round(): void;
}

function load(what: string, sources: readonly RuleSource[]): Loaded {
  const fields = createFieldTable();
  const decoder = new TraceDecoder(fields);
  const events = new NormalisedEvents(fields);
  const memory = process.memoryUsage().rss;
  const before = process.cpuUsage();
  const detector = createDetector({ ...loadRules(sources), fields });
  const once = (sent: readonly Buffer[]) => {
    let spans = 0;
    for (const body of sent) {
      const outcome = decoder.decode(body);
      if (outcome.status !== 'ok') throw new Error(outcome.message);
      detector.detect(events.bind(outcome.batch));
      spans += outcome.batch.spanCount;
    }
    return spans;
  };
  once(single);
  const loadSeconds = cpuSeconds(before);
  const mebibytes = Math.round((process.memoryUsage().rss - memory) / 2 ** 20);
  const figure: RulesFigure = { what, loadSeconds, spansPerCpuSecond: 0, mebibytes };
  const round = () => {
    once(bodies);
    const start = process.cpuUsage();
    let spans = 0;
    do spans += once(bodies);
    while (cpuSeconds(start) < 0.5);
    figure.spansPerCpuSecond = Math.max(figure.spansPerCpuSecond, Math.round(spans / cpuSeconds(start)));
  };
  return { figure, round };
}

/** In a process that has loaded nothing yet. */
const count = Number(values.load ?? 10_000);
const many = load(`${count.toLocaleString('en')} rules on texts only`, distinctRules(count, true));
const figures = values.load === undefined ? [...measured(), many.figure] : [many.figure];
if (values.json) process.stdout.write(`${JSON.stringify(figures)}\n`);
else {
  for (const { what, loadSeconds, spansPerCpuSecond, mebibytes } of figures) {
    const loaded = `loaded in ${loadSeconds.toFixed(2)} s of CPU`;
    const speed = spansPerCpuSecond > 0 ? `, ${spansPerCpuSecond} spans of 3 KB per CPU-second` : '';
    process.stdout.write(`${what}: ${loaded}${speed}, ${mebibytes} MiB\n`);
  }
  const [, hundred, thousand] = figures;
  if (hundred && thousand) {
    const ratio = hundred.spansPerCpuSecond / thousand.spansPerCpuSecond;
    process.stdout.write(`1,000 rules cost ${ratio.toFixed(2)} times as much as 100\n`);
  }
}

/** What few rules cost, and how much more many do. */
function measured(): RulesFigure[] {
  const all = [
    load('150 rules, the shipped ones over and over', rulesTimes(150)),
    load('100 rules', distinctRules(100, false)),
    load('1,000 rules', distinctRules(1_000, false)),
  ];
  // By turns, so that what else the machine does is the same for all.
  for (let i = 0; i < 8; i++) for (const { round } of all) round();
  return all.map(({ figure }) => figure);
}
