import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { Backtest } from '../backtest/backtest.ts';
import { readRuleFiles, shippedRulesPath } from '../cli/load-rules.ts';
import { placeholderLists } from '../cli/rule-lists.ts';
import { TraceDecoder } from '../decode/trace-decoder.ts';
import { isCorrelation } from '../detect/correlate/correlation.ts';
import { createDetector } from '../detect/engine.ts';
import { type LoadedRules, loadRules, readRules } from '../detect/load.ts';
import { parseTestFile } from '../detect/parse/test-file.ts';
import { Report } from '../detect/report.ts';
import { createFieldTable } from '../model/fields.ts';
import type { Finding } from '../model/finding.ts';
import { Span } from '../model/span-batch.ts';
import { NormalisedEvents } from '../normalise/span-events.ts';
import { storedFacts } from '../normalise/stored-facts.ts';
import { planHistory, readHistory } from '../store/history/read.ts';
import { SpanRowEncoder } from '../store/rows/otel-traces.ts';
import { openTestStore, type TestStore } from '../store/testing/embedded.ts';
import { otlpProtobuf, type TestSpan } from '../testing/otlp.ts';
import { huntQuery } from './query.ts';
import { baseRule, count, countText, matches, rule, ruleText, spans, value } from './testing/generated.ts';

// The same rules over the same spans in the stream's engine, in ClickHouse's SQL and in a backtest.

const base = (BigInt(Date.now()) - 7_200_000n) * 1_000_000n;
const range = { fromNanos: base - 864_000_000_000_000n, toNanos: base + 86_400_000_000_000n };
const accepted = { fromMs: Number(base / 1_000_000n) - 9e9, toMs: Number(base / 1_000_000n) + 9e9 };

let db: TestStore;
before(async () => {
  db = await openTestStore();
});
after(() => db.close());

interface Stream {
  readonly findings: readonly Finding[];
  /** Of detection rules alone. */
  readonly matches: readonly Finding[];
}

/** Stores the requests as the pipeline does, and gives what the stream finds. */
async function stream(requests: readonly Buffer[], set: LoadedRules): Promise<Stream> {
  await db.store.client.command({ query: 'TRUNCATE TABLE otel_traces' });
  const fields = createFieldTable();
  const decoder = new TraceDecoder(fields);
  const encoder = new SpanRowEncoder(fields, storedFacts);
  const events = new NormalisedEvents(fields);
  const detector = createDetector({ ...set, fields });
  // Rules that correlations use are silent beside them.
  const alone = createDetector({ rules: set.rules, fields });
  const findings: Finding[] = [];
  const matches: Finding[] = [];
  for (const request of requests) {
    const outcome = decoder.decode(request);
    if (outcome.status !== 'ok') throw new Error(outcome.message);
    findings.push(...detector.detect(events.bind(outcome.batch)));
    matches.push(...alone.detect(events));
    await db.insert(encoder.encode(outcome.batch, accepted, events));
  }
  findings.push(...detector.flush());
  matches.push(...alone.flush());
  return { findings, matches };
}

async function spansOf(sql: string): Promise<string[]> {
  const result = await db.store.client.query({ query: sql, format: 'JSONEachRow' });
  const rows = await result.json<{ TraceId: string; SpanId: string }>();
  return [...new Set(rows.map(({ TraceId, SpanId }) => `${TraceId}/${SpanId}`))].sort();
}

function foundBy(findings: readonly Finding[], ruleId: string): string[] {
  const mine = findings.filter((finding) => finding.ruleId === ruleId);
  return [...new Set(mine.map(({ traceId, spanId }) => `${traceId}/${spanId}`))].sort();
}

/** Holds every rule that can be said in SQL to what the stream found; gives their ids. */
async function assertParity(set: LoadedRules, { findings, matches }: Stream, names = new Map<string, string>()) {
  const exact: string[] = [];
  for (const rule of [...set.rules, ...set.correlations]) {
    const query = huntQuery(rule);
    if (query.status !== 'exact') continue;
    exact.push(rule.meta.id);
    const context = `${rule.meta.title} ${names.get(rule.meta.id) ?? ''}\n${query.sql}`;
    assert.deepEqual(
      await spansOf(query.sql),
      foundBy(isCorrelation(rule) ? findings : matches, rule.meta.id),
      context,
    );
  }
  return exact;
}

function shipped(): LoadedRules {
  const files = readRuleFiles([shippedRulesPath()]);
  return loadRules(files.rules, { lists: placeholderLists(files.lists, undefined) });
}

const recorded = gunzipSync(
  readFileSync(new URL('../../../test/fixtures/traces/demo/requests.pb.gz', import.meta.url)),
);

/** The same spans, the last of them at `base`: the table keeps a month. */
function moved(body: Buffer): Buffer {
  const bytes = Buffer.from(body);
  const outcome = new TraceDecoder(createFieldTable()).decode(bytes);
  if (outcome.status !== 'ok') throw new Error(outcome.message);
  const { batch } = outcome;
  const offsets = Array.from({ length: batch.spanCount }, (_, span) => [
    batch.spans[span * Span.stride + Span.start]!,
    batch.spans[span * Span.stride + Span.end]!,
  ]).flat();
  const newest = offsets.map((at) => batch.nanos(at)).reduce((a, b) => (a > b ? a : b));
  for (const at of offsets) bytes.writeBigUInt64LE(bytes.readBigUInt64LE(at) - newest + base, at);
  return bytes;
}

describe('a rule as a query', () => {
  it('finds what the stream finds, for generated rules and spans', async () => {
    await fc.assert(
      fc.asyncProperty(spans, value, fc.array(rule, { minLength: 12, maxLength: 12 }), async (generated, r, rules) => {
        const sources = rules.map((each, index) => ({ path: `${index}.yml`, text: ruleText(each, index) }));
        const set = readRules(sources);
        const timed = generated.map((span, i) => ({
          ...span,
          startNanos: base + BigInt(i),
          endNanos: base + BigInt(i),
        }));
        const seen = await stream([otlpProtobuf(timed, { 'service.name': 'svc', r })], set);
        await assertParity(
          set,
          seen,
          new Map(sources.map(({ text }, i) => [`00000000-0000-4000-8000-${String(i).padStart(12, '0')}`, text])),
        );
      }),
      { numRuns: 12, endOnFailure: true },
    );
  });

  it('finds what the stream finds, for generated counts over time', async () => {
    await fc.assert(
      fc.asyncProperty(matches, fc.array(count, { minLength: 6, maxLength: 6 }), async (generated, counts) => {
        const set = loadRules([
          { path: 'counts.yml', text: counts.reduce((text, each, i) => text + countText(each, i), baseRule) },
        ]);
        const timed = generated.map(({ second, ...span }, i) => {
          const endNanos = day + BigInt(second) * 1_000_000_000n;
          return { ...span, spanId: String(i + 1).padStart(16, '0'), startNanos: endNanos - 5n, endNanos };
        });
        const exact = await assertParity(set, await stream([otlpProtobuf(timed)], set));
        assert.ok(exact.length === 1 + counts.length);
      }),
      { numRuns: 12, endOnFailure: true },
    );
  });

  it('finds what the stream finds, for the shipped rules over their tests and over recorded spans', async () => {
    const set = shipped();
    const seen = await stream([Buffer.concat([...ruleTestRequests(set), moved(recorded)])], set);
    const exact = await assertParity(set, seen);
    const fired = exact.filter((id) => [...seen.findings, ...seen.matches].some(({ ruleId }) => ruleId === id));
    assert.ok(
      exact.length >= 12 && fired.length >= 8,
      `${exact.length} rules can be said, ${fired.length} of them fired`,
    );
  });
});

describe('a backtest', () => {
  it('gives the findings of the stream, correlations among them', async () => {
    const set = shipped();
    const { findings } = await stream([Buffer.concat([...ruleTestRequests(set), moved(recorded)])], set);
    const fields = createFieldTable();
    const events = new NormalisedEvents(fields);
    const detector = createDetector({ ...set, fields });
    const plan = await planHistory(db.store.client, range, 40);
    assert.ok(plan.slices.length > 1);
    const found: Finding[] = [];
    for await (const batch of readHistory(db.store.client, plan, { fields }).batches) {
      found.push(...detector.detect(events.bind(batch)));
    }
    found.push(...detector.flush());
    const ids = (all: readonly Finding[]) => [...new Set(all.map(({ id, ruleTitle }) => `${ruleTitle} ${id}`))].sort();
    assert.deepEqual(ids(found), ids(findings));
    assert.ok(findings.some(({ count: events }) => events !== undefined));
  });

  it('says what is new and gone beside the installed version, and knows what warms up and what is missing', async () => {
    const text = (wanted: string) => baseRule.replace('f|exists: true', `f: ${wanted}`);
    const installed = loadRules([{ path: 'a.yml', text: text('[x, y]') }]);
    const set = loadRules([{ path: 'b.yml', text: text('[y, z]').replace('title: Base', 'title: Newer') }]);
    const spansOfAll = ['x', 'x', 'y', 'z', 'q'].map((f, i) => ({
      endNanos: day + BigInt(i) * 1_000_000_000n,
      startNanos: day + BigInt(i) * 1_000_000_000n,
      attributes: { 'gen_ai.operation.name': 'execute_tool', f },
    }));
    await stream([otlpProtobuf(spansOfAll)], set);
    const fields = createFieldTable();
    const events = new NormalisedEvents(fields);
    const run = new Backtest({ rules: set, installed, fields, fromNanos: day });
    for await (const batch of readHistory(db.store.client, await planHistory(db.store.client, range), { fields })
      .batches) {
      run.take(events.bind(batch));
    }
    const [result] = run.finish();
    assert.equal(result!.fires, 2);
    assert.equal(result!.spans, 5);
    assert.deepEqual(result!.agents, [{ agent: 'test', findings: 2 }]);
    assert.deepEqual([result!.difference?.fires, result!.difference?.fresh, result!.difference?.gone], [3, 1, 2]);
    assert.deepEqual(result!.missing, []);
  });
});

/** Midnight of a day that is stored, so that windows of any length begin somewhere. */
const day = base - (base % 86_400_000_000_000n);

/** The spans of all cases of the shipped rules' tests, each case an hour and a trace of its own. */
function ruleTestRequests(set: LoadedRules): Buffer[] {
  const { tests } = readRuleFiles([shippedRulesPath()]);
  const requests: Buffer[] = [];
  for (const { path, text } of tests) {
    const report = new Report();
    const beside = path.replace('.test.', '.');
    const owners = [...set.rules, ...set.correlations].filter(({ file }) => file === beside);
    for (const { spans: own } of parseTestFile(path, text, owners, report)) {
      const number = requests.length;
      const at = base - BigInt(number + 1) * 300_000_000_000n;
      requests.push(
        otlpProtobuf(
          own.map((span, i): TestSpan => {
            const end = at + span.endNanos;
            const { name, kind, attributes: values } = span;
            const place = {
              traceId: String(number).padStart(32, '0'),
              spanId: `${String(number + 1).padStart(8, '0')}${String(i + 1).padStart(8, '0')}`,
            };
            const times = { startNanos: end - BigInt(Math.round(span.durationMs * 1e6)), endNanos: end };
            return { ...place, ...times, name, kind, attributes: values, status: { code: span.statusCode } };
          }),
        ),
      );
    }
  }
  return requests;
}
