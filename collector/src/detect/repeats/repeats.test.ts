import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Finding } from '../../model/finding.ts';
import { madeFinding } from '../testing/made-finding.ts';
import { foldPeriodNanos } from './fold-key.ts';
import { Repeats } from './repeats.ts';

const second = 1_000_000_000n;
const start = 500_000n * foldPeriodNanos;
const allowedLatenessNanos = 30n * second;

describe('repeats', () => {
  test('the first comes out at once, later ones count into it', () => {
    const repeats = new Repeats({ allowedLatenessNanos });
    const [first] = repeats.take([at(0)]);
    assert.deepEqual([first?.count, first?.lastSeenNanos], [1, start]);
    assert.deepEqual(repeats.take([at(0.1), at(0.2)]), []);
    const [update] = repeats.advance(start + 2n * second);
    assert.equal(update?.id, first?.id);
    assert.equal(update?.count, 3);
    assert.equal(update?.lastSeenNanos, start + second / 5n);
    assert.deepEqual(repeats.advance(start + 3n * second), [], 'nothing has changed since');
    assert.equal(repeats.counters.folded, 2);
  });

  test('a batch of repeats is one finding with their number, and shows the earliest', () => {
    const given = new Repeats({ allowedLatenessNanos }).take([at(2), at(1), at(3)]);
    assert.deepEqual(
      given.map(({ count, timeNanos }) => [count, timeNanos]),
      [[3, start + second]],
    );
  });

  test('under a flood there are few rows, and the last one has the right number', () => {
    const repeats = new Repeats({ allowedLatenessNanos });
    let rows = 0;
    for (let index = 0; index < 20_000; index++) rows += repeats.take([at(index / 10)]).length;
    const [last] = repeats.flush();
    assert.equal(last?.count, 20_000);
    assert.ok(rows <= 45, `${rows} rows in 2000 seconds`);
    assert.ok(repeats.counters.forgottenSpans > 0, 'spans are forgotten and counted');
  });

  test('a span sent again counts once', () => {
    const repeats = new Repeats({ allowedLatenessNanos });
    repeats.take([at(0), at(1)]);
    assert.deepEqual(repeats.take([at(1), at(0)]), []);
    assert.equal(repeats.flush().length, 0);
    assert.equal(repeats.counters.resent, 2);
  });

  test('another rule, agent, session, tool, evidence or hour is another finding', () => {
    const others: Partial<Finding>[] = [
      { ruleId: 'other' },
      { agentName: 'other' },
      { conversationId: 'other' },
      { toolName: 'other' },
      { evidence: [{ selection: 's', field: 'f', wanted: 'w', excerpt: 'other' }] },
      { timeNanos: start + foldPeriodNanos },
    ];
    const given = new Repeats({ allowedLatenessNanos }).take([
      at(0),
      ...others.map((other) => ({ ...at(1), ...other })),
    ]);
    assert.equal(new Set(given.map(({ id }) => id)).size, others.length + 1);
  });

  test('fold-by takes the place of agent, session, tool and evidence', () => {
    const folded = (seconds: number, value: string, other: Partial<Finding> = {}): Finding => ({
      ...at(seconds),
      ...other,
      foldValues: [value],
    });
    const given = new Repeats({ allowedLatenessNanos }).take([
      folded(0, 'a'),
      folded(1, 'a', { agentName: 'other', conversationId: 'other' }),
      folded(2, 'b'),
    ]);
    assert.deepEqual(
      given.map(({ count }) => count),
      [2, 1],
    );
  });

  test('findings of correlations pass, and so does what came too late or from the future', () => {
    const repeats = new Repeats({ allowedLatenessNanos });
    const correlated = { ...at(0), count: 5, lastSeenNanos: start };
    assert.deepEqual(repeats.take([correlated]), [correlated]);
    const future = at(100_000);
    assert.deepEqual(repeats.take([future], 0n, start), [future]);
    repeats.advance(start + 2n * foldPeriodNanos);
    const late = at(5);
    assert.deepEqual(repeats.take([late]), [late], 'it must not take the place of what was counted');
    assert.equal(repeats.counters.unfolded, 2);
    assert.equal(repeats.size, 0);
  });

  test('with too many at once, matches stay findings of their own', () => {
    const repeats = new Repeats({ allowedLatenessNanos, bounds: { foldsMax: 2 } });
    const given = repeats.take([0, 1, 2, 3].map((each) => ({ ...at(each), toolName: `tool ${each}` })));
    assert.equal(given.length, 4);
    assert.equal(repeats.size, 2);
    assert.equal(repeats.counters.unfolded, 2);
  });

  test('any order, batching and restart give the same findings in the end', () => {
    const retold = fc.constantFrom(undefined, false, true);
    const spans = fc.uniqueArray(fc.record({ seconds: fc.nat(29), tool: fc.constantFrom('a', 'b'), retold }), {
      minLength: 1,
      maxLength: 25,
      selector: ({ seconds, tool }) => `${seconds}${tool}`,
    });
    fc.assert(
      fc.property(spans, fc.infiniteStream(fc.nat()), (made, numbers) => {
        // Around the turn of an hour, all within the lateness.
        const findings = made.map(({ seconds, tool, retold }) =>
          at(seconds - 15, { toolName: tool, ...(retold !== undefined && { retold, ruleId: 'of messages' }) }),
        );
        const plain = settled([findings], false);
        const shuffled = findings
          .map((finding) => ({ finding, order: numbers.next().value }))
          .sort((a, b) => a.order - b.order)
          .map(({ finding }) => finding);
        const batches: Finding[][] = [];
        for (let from = 0; from < shuffled.length; ) {
          const size = 1 + (numbers.next().value % 4);
          // A part of each batch comes again with the next one.
          batches.push(shuffled.slice(Math.max(0, from - 1), from + size));
          from += size;
        }
        assert.deepEqual(settled(batches, false), plain);
        assert.deepEqual(settled(batches, true), plain);
      }),
    );
  });

  test('what calls send again is not counted, and is one finding where it was never new', () => {
    const repeats = new Repeats({ allowedLatenessNanos });
    const [first] = repeats.take([at(0, { retold: false })]);
    assert.deepEqual(repeats.take([at(1, { retold: true }), at(5, { retold: true })]), []);
    repeats.take([at(6, { retold: false })]);
    assert.deepEqual(
      repeats.flush().map(({ id, count }) => [id, count]),
      [[first!.id, 2]],
    );
    const hours = [1, 2, 30].map((hour) => at(hour * 3600, { retold: true }));
    assert.deepEqual(repeats.take(hours), [], 'the hour is over, the conversation goes on');
    assert.deepEqual(repeats.advance(start + 40n * foldPeriodNanos), []);
    const unseen = { conversationId: 'its first calls were not seen', retold: true };
    assert.deepEqual(repeats.take([at(40 * 3600, unseen), at(40 * 3600 - 1, unseen)]), []);
    const [late, ...more] = repeats.advance(start + 41n * foldPeriodNanos);
    assert.deepEqual([late?.count, late?.timeNanos, more], [1, at(40 * 3600 - 1).timeNanos, []]);
    assert.deepEqual(repeats.take([at(42 * 3600, unseen)]), []);
    assert.deepEqual(repeats.flush(), []);
  });

  test('what is forgotten is found again', () => {
    const repeats = new Repeats({ allowedLatenessNanos, bounds: { toldMax: 1 } });
    repeats.take([at(0, { retold: false }), at(1, { retold: false, toolName: 'other' })]);
    repeats.take([at(2 * 3600, { retold: true }), at(2 * 3600, { retold: true, toolName: 'other' })]);
    assert.deepEqual(
      repeats.advance(start + 3n * foldPeriodNanos).map(({ toolName }) => toolName),
      ['http_post'],
    );
  });

  test('a quiet clock leaves little in the journal', () => {
    const repeats = new Repeats({ allowedLatenessNanos });
    for (let each = 0; each < 600; each++) repeats.advance(start + BigInt(each) * second);
    assert.ok(repeats.takeJournal().length < 200);
  });

  test('a snapshot that cannot be read leaves everything as it was', () => {
    const repeats = new Repeats({ allowedLatenessNanos });
    repeats.take([at(0)]);
    assert.deepEqual(repeats.restore(Buffer.from('nonsense')), { status: 'unreadable' });
    assert.equal(repeats.size, 1);
  });
});

function at(seconds: number, other: Partial<Finding> = {}): Finding {
  const nanos = BigInt(Math.round(seconds * 1e9));
  return madeFinding({
    timeNanos: start + nanos,
    spanId: BigInt.asUintN(64, nanos).toString(16).padStart(16, '0'),
    ...other,
  });
}

/** The newest row of each finding; with restarts a new instance goes on from a snapshot and the journals after it. */
function settled(batches: readonly Finding[][], restarts: boolean): Map<string, Finding> {
  const rows = new Map<string, Finding>();
  let repeats = new Repeats({ allowedLatenessNanos });
  let checkpoint: Uint8Array | undefined;
  let journals: Uint8Array[] = [];
  const store = (findings: readonly Finding[]): void => {
    for (const finding of findings) rows.set(finding.id, finding);
  };
  for (const [index, batch] of batches.entries()) {
    store(repeats.take(batch));
    journals.push(repeats.takeJournal());
    if (!restarts) continue;
    const next = new Repeats({ allowedLatenessNanos });
    if (checkpoint) assert.equal(next.restore(checkpoint).status, 'restored');
    for (const journal of journals) next.replay(journal);
    assert.deepEqual(next.snapshot(), repeats.snapshot());
    repeats = next;
    if (index % 3 === 0) {
      checkpoint = repeats.snapshot();
      journals = [];
    }
  }
  store(repeats.flush());
  return new Map([...rows].sort(([a], [b]) => (a < b ? -1 : 1)));
}
