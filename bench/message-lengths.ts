// What a call costs after 5, 25, 50 and 100 turns of its conversation; see bench/README.md.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gunzipSync, gzipSync } from 'node:zlib';
import { readRuleFiles, shippedRulesPath } from '../collector/src/cli/load-rules.ts';
import type { RuleSource } from '../collector/src/detect/load.ts';
import type { SpanBatch } from '../collector/src/model/span-batch.ts';
import { conversations, makeConversations, makeTold, type Sent, ways } from './conversations.ts';

/** Turns after which a call is measured. */
const lengths = [5, 25, 50, 100];

/** Until all code is compiled: so many times eight conversations, each of so many turns. */
const [warmRounds, warmTurns] = [30, 25];

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

setFlagsFromString('--expose-gc');
/** What making the requests left behind, and the one before. */
const collectGarbage = runInNewContext('gc') as () => void;

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

/** A request, and where calls of its length are measured what else is made beforehand. */
interface Sending {
  readonly body: Buffer;
  readonly measured?: { readonly length: number; readonly zipped: Buffer; readonly copy: Buffer };
}

/** Packing is the sender's work: it must leave nothing in the caches, or to the garbage collection, of what comes behind it. */
function sendings(bodies: readonly Buffer[]): Sending[] {
  return bodies.map((body, turn) => {
    const length = lengths.find((each) => Math.abs(turn + 1 - each) <= 2);
    return length === undefined
      ? { body }
      : { body, measured: { length, zipped: gzipSync(body), copy: Buffer.from(body) } };
  });
}

/** µs a call by round, by what was measured. */
type Measured = Map<string, number[]>;

/**
 * What a call costs after so many turns, as the mean of five calls around it in each of eight conversations; best and median of rounds. What
 * bytes take is told apart: unpacking with its checksum, decoding to offsets, one comparison with what is known, and one copy.
 */
export async function measureLengths(rounds: number): Promise<void> {
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
  const take = (turns: number, round: string, isMeasured: boolean): void => {
    const told = makeTold(turns);
    for (const sent of ways) {
      const [named, nameless] = [`${round} ${sent}`, ''].map((name) => sendings(makeConversations(told, sent, name)));
      for (const { work, takers, looks } of all) {
        if (isMeasured) collectGarbage();
        measureSendings((work.isNameless ? nameless : named)!, takers, sent, isMeasured ? { bytes, looks } : undefined);
      }
    }
  };
  for (let round = 0; round < warmRounds; round++) take(warmTurns, `warm ${round}`, false);
  for (let round = 0; round < rounds; round++) take(Math.max(...lengths) + 2, `${round}`, true);
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

function measureSendings(
  sendings: readonly Sending[],
  takers: readonly Taker[],
  sent: Sent,
  into: { readonly bytes: Measured; readonly looks: Measured } | undefined,
): void {
  const sums = { bytes: new Map<string, number>(), looks: new Map<string, number>() };
  for (const [turn, { body, measured }] of sendings.entries()) {
    const note = (key: string, work: () => void, into: Map<string, number>): void => {
      const took = microsOf(work) / conversations / 5;
      if (measured === undefined) return;
      const name = `${sent} ${key} ${measured.length}`;
      into.set(name, (into.get(name) ?? 0) + took);
    };
    let bytes = body;
    if (measured !== undefined)
      note(
        'gunzip',
        () => {
          bytes = gunzipSync(measured.zipped);
        },
        sums.bytes,
      );
    for (let place = 0; place < takers.length; place++) {
      const at = (place + turn) % takers.length;
      note('decode', () => takers[at]!.decode(bytes), at === takers.length - 1 ? sums.bytes : new Map());
      note(`${at}`, () => takers[at]!.look(), sums.looks);
    }
    if (measured === undefined) continue;
    note('compare', () => bytes.equals(measured.copy), sums.bytes);
    note('copy', () => bytes.copy(measured.copy), sums.bytes);
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
