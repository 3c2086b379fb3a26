// `node bench/messages.ts [--quick] [--against <checkout>]`: conversations of 50 turns of which every call sends all that was said before,
// against the same calls with their new messages only; then what is stored of them under `store.messages: full` and `once`; then what a call
// costs after 5, 25, 50 and 100 turns, by turns with another checkout if one is named: what its bytes take whatever is known of them, and
// what is found out and asked about it. `--lengths` for the last part only. See bench/README.md.

import { gunzipSync, gzipSync } from 'node:zlib';
import { readRuleFiles, shippedRulesPath } from '../collector/src/cli/load-rules.ts';
import { TraceDecoder } from '../collector/src/decode/trace-decoder.ts';
import { createDetector } from '../collector/src/detect/engine.ts';
import { loadRules, type RuleSource } from '../collector/src/detect/load.ts';
import { createFieldTable } from '../collector/src/model/fields.ts';
import type { SpanBatch } from '../collector/src/model/span-batch.ts';
import { NormalisedEvents } from '../collector/src/normalise/span-events.ts';
import { conversations, makeConversations, makeTold, type Sent, type Told, ways } from './conversations.ts';
import { measureStorage } from './message-storage.ts';

const quick = process.argv.includes('--quick');
const turns = 50;
const rounds = quick ? 2 : 5;

/** Turns after which a call is measured. */
const lengths = [5, 25, 50, 100];

/** Rules of users over all messages of a call. */
const onTexts = [
  "message.user.text|contains: 'ignore all previous instructions'",
  "message.tool.text|normalised|contains: 'disregard the above'",
  "message.assistant.text|re: 'https?://[a-z0-9.-]+/collect'",
  "message.tool.text|decoded|normalised|contains: 'you are now the administrator'",
  "message.user.text|decoded|contains: 'reveal your system prompt'",
];

function messageRules(items: readonly string[]): RuleSource[] {
  return items.map((item, i) => ({
    path: `message-${i}.yml`,
    text: `title: Message rule ${i}
name: message_rule_${i}
id: 00000000-0000-4000-8000-00000000000${i}
status: test
description: For the bench.
level: low
logsource:
  product: ai_agent
  category: llm
detection:
  selection:
    ${item}
  condition: selection
`,
  }));
}

const rules: readonly (readonly [what: string, rules: readonly RuleSource[]])[] = [
  ['normalise only: roles of messages', []],
  ['shipped rules', shipped()],
  ['five rules on message.<role>.text', messageRules(onTexts)],
];

function shipped(): RuleSource[] {
  return readRuleFiles([shippedRulesPath()]).rules.filter(
    ({ text }) => !/^correlation:|\b(?:parent|root|ancestor)\.[a-z]/m.test(text),
  );
}

/** What is done with calls after they are decoded, where calls of one collector are measured. */
interface Work {
  readonly what: string;
  /** Undefined where rows are written, with messages once. */
  readonly sources?: readonly RuleSource[];
  /** Calls that say no conversation: their sessions are found out by what they show of each other. */
  readonly isNameless?: true;
}

const works: readonly Work[] = [
  ...rules.map(([what, sources]) => ({ what, sources })),
  { what: 'a rule on message.tool.name', sources: messageRules(["message.tool.name|contains: 'shell'"]) },
  { what: 'all shipped rules', sources: readRuleFiles([shippedRulesPath()]).rules },
  { what: 'all shipped, no conversation ids', sources: readRuleFiles([shippedRulesPath()]).rules, isNameless: true },
  { what: 'rows, store.messages: once' },
];

if (!process.argv.includes('--lengths')) {
  measureRules();
  await measureStorage(makeTold(turns), rounds);
}
await measureLengths();

function measureRules(): void {
  for (const [what, sources] of rules) {
    const micros = { 'whole history': [] as number[], 'new messages only': [] as number[] };
    for (let round = 0; round < rounds; round++) {
      const told = makeTold(turns);
      for (const sent of Object.keys(micros) as Sent[]) micros[sent].push(microsPerCall(told, sent, sources));
    }
    const [whole, fresh] = [Math.min(...micros['whole history']), Math.min(...micros['new messages only'])];
    process.stdout.write(
      `${what.padEnd(36)} whole history ${whole.toFixed(0).padStart(6)} µs a call, new messages only ` +
        `${fresh.toFixed(0).padStart(6)} µs, ${(whole / fresh).toFixed(1)} times\n`,
    );
  }
}

/** Decoding included. */
function microsPerCall(told: Told, sent: Sent, sources: readonly RuleSource[]): number {
  const bodies = makeConversations(told, sent);
  const fields = createFieldTable();
  const decoder = new TraceDecoder(fields);
  const events = new NormalisedEvents(fields);
  const detector = createDetector({ ...loadRules([...sources]), fields });
  const roles = fields.intern('message.roles');
  const before = process.cpuUsage();
  for (const body of bodies) {
    const outcome = decoder.decode(body);
    if (outcome.status !== 'ok') throw new Error(outcome.message);
    events.bind(outcome.batch);
    if (sources.length > 0) detector.detect(events);
    else for (let span = 0; span < outcome.batch.spanCount; span++) events.value(span, roles);
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (turns * conversations);
}

/** A collector's part, warm after the first conversations. */
interface Taker {
  decode(body: Buffer): void;
  /** What is done with the request that was decoded last. */
  look(): void;
}

async function takerOf(checkout: URL, { sources }: Work): Promise<Taker> {
  const load = <T>(path: string): Promise<T> => import(new URL(`collector/src/${path}`, checkout).href) as Promise<T>;
  const fields = (await load<typeof import('../collector/src/model/fields.ts')>('model/fields.ts')).createFieldTable();
  const decode = await load<typeof import('../collector/src/decode/trace-decoder.ts')>('decode/trace-decoder.ts');
  const spans = await load<typeof import('../collector/src/normalise/span-events.ts')>('normalise/span-events.ts');
  const engine = await load<typeof import('../collector/src/detect/engine.ts')>('detect/engine.ts');
  const loading = await load<typeof import('../collector/src/detect/load.ts')>('detect/load.ts');
  const rows = await load<typeof import('../collector/src/store/rows/otel-traces.ts')>('store/rows/otel-traces.ts');
  const decoder = new decode.TraceDecoder(fields);
  const events = new spans.NormalisedEvents(fields);
  const detector = engine.createDetector({ ...loading.loadRules([...(sources ?? [])]), fields });
  const encoder = new rows.SpanRowEncoder(fields, [], undefined, 'once');
  const range = { fromMs: Date.now() - 86_400_000, toMs: Date.now() + 86_400_000 };
  const roles = fields.intern('message.roles');
  let batch: SpanBatch;
  return {
    decode: (body) => {
      const outcome = decoder.decode(body);
      if (outcome.status !== 'ok') throw new Error(outcome.message);
      batch = outcome.batch;
    },
    look: () => {
      if (sources === undefined) {
        encoder.release(encoder.encode(batch, range));
        encoder.takeMessages()?.landed();
        return;
      }
      events.bind(batch);
      if (sources.length > 0) detector.detect(events);
      else for (let span = 0; span < batch.spanCount; span++) events.value(span, roles);
    },
  };
}

/** µs a call by round, by what was measured. */
type Measured = Map<string, number[]>;

/**
 * What a call costs after so many turns, as the mean of five calls around it in each of eight conversations; best and median of rounds. What
 * bytes take is told apart: unpacking with its checksum, decoding to offsets, one comparison with what is known, and one copy.
 */
async function measureLengths(): Promise<void> {
  const named = process.argv.indexOf('--against');
  const other = named < 0 ? [] : [new URL(`file://${process.argv[named + 1]!.replace(/\/?$/, '/')}`)];
  const checkouts = [...other, new URL('..', import.meta.url)];
  const bytes: Measured = new Map();
  const all = await Promise.all(
    works.map(async (work) => {
      const takers = await Promise.all(checkouts.map((each) => takerOf(each, work)));
      return { work, takers, looks: new Map() as Measured };
    }),
  );
  for (let round = 0; round < rounds + 3; round++) {
    const told = makeTold(Math.max(...lengths) + 2);
    for (const sent of ways) {
      const [named, nameless] = [`${round} ${sent}`, ''].map((name) => makeConversations(told, sent, name));
      for (const { work, takers, looks } of all) {
        // The first rounds are those in which code is compiled.
        const into = round < 2 ? undefined : { bytes, looks };
        measureBodies((work.isNameless ? nameless : named)!, takers, sent, into);
      }
    }
  }
  for (const { work, looks } of all) {
    for (const [at, checkout] of checkouts.entries()) {
      const where = at < other.length ? ` in ${checkout.pathname}` : '';
      for (const sent of ways) show(`${work.what.padEnd(36)} ${sent.padEnd(18)}`, looks, `${sent} ${at}`, where);
      const times = lengths.map((length) => timesOf(looks, at, length).padStart(12));
      process.stdout.write(`${''.padEnd(36)} ${'times'.padEnd(18)} ${times.join('')}\n`);
    }
  }
  for (const what of ['gunzip', 'decode', 'compare', 'copy']) {
    for (const sent of ways) show(`${`bytes alone: ${what}`.padEnd(36)} ${sent.padEnd(18)}`, bytes, `${sent} ${what}`);
  }
}

function measureBodies(
  bodies: readonly Buffer[],
  takers: readonly Taker[],
  sent: Sent,
  into: { readonly bytes: Measured; readonly looks: Measured } | undefined,
): void {
  const sums = { bytes: new Map<string, number>(), looks: new Map<string, number>() };
  const copies = bodies.map((body) => Buffer.from(body));
  for (const [turn, body] of bodies.entries()) {
    const length = lengths.find((each) => Math.abs(turn + 1 - each) <= 2);
    const note = (key: string, work: () => void, into: Map<string, number>): void => {
      const took = microsOf(work) / conversations / 5;
      if (length !== undefined)
        into.set(`${sent} ${key} ${length}`, (into.get(`${sent} ${key} ${length}`) ?? 0) + took);
    };
    const zipped = length === undefined ? undefined : gzipSync(body);
    let sentBytes = body;
    if (zipped !== undefined)
      note(
        'gunzip',
        () => {
          sentBytes = gunzipSync(zipped);
        },
        sums.bytes,
      );
    for (let place = 0; place < takers.length; place++) {
      const at = (place + turn) % takers.length;
      note('decode', () => takers[at]!.decode(sentBytes), at === takers.length - 1 ? sums.bytes : new Map());
      note(`${at}`, () => takers[at]!.look(), sums.looks);
    }
    note('compare', () => sentBytes.equals(copies[turn]!), sums.bytes);
    note('copy', () => sentBytes.copy(copies[turn]!), sums.bytes);
  }
  if (into === undefined) return;
  for (const kind of ['bytes', 'looks'] as const)
    for (const [key, sum] of sums[kind]) into[kind].set(key, [...(into[kind].get(key) ?? []), sum]);
}

function show(what: string, measured: Measured, key: string, where = ''): void {
  const shown = lengths.map((length) => bestAndMedian(measured.get(`${key} ${length}`)!));
  process.stdout.write(`${what} ${shown.join('')}  µs a call${where}\n`);
}

/** How much more the whole history takes than the new messages, by the best rounds and by the medians. */
function timesOf(looks: Measured, at: number, length: number): string {
  const [whole, fresh] = ways.map((sent) => looks.get(`${sent} ${at} ${length}`)!.toSorted((a, b) => a - b));
  const [best, median] = [whole![0]! / fresh![0]!, whole![whole!.length >> 1]! / fresh![fresh!.length >> 1]!];
  return `${best.toFixed(1)} (${median.toFixed(1)})`;
}

function microsOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function bestAndMedian(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  return `${sorted[0]!.toFixed(0)} (${sorted[sorted.length >> 1]!.toFixed(0)})`.padStart(12);
}
