import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Case } from '../../model/case.ts';
import type { Finding } from '../../model/finding.ts';
import { madeFinding } from '../testing/made-finding.ts';
import { Casebook } from './casebook.ts';
import { chainOf, conversationKey, traceKey } from './sighting.ts';
import type { Tie } from './ties.ts';

const second = 1_000_000_000n;
const start = 20_000n * 86_400n * second + 43_200n * second;

describe('cases', () => {
  test('findings of one session are one case, whose id is that of its earliest', () => {
    const book = new Casebook();
    const [first, ...none] = book.take([at(10), at(5, { traceId: '02'.repeat(16) })]);
    assert.deepEqual(none, []);
    assert.equal(first?.id, chainOf(at(5)).id);
    assert.equal(first?.findings, 2);
    assert.deepEqual(first?.chainIds, [first?.id]);
    assert.equal(first?.firstSeenNanos, start + 5n * second);
    assert.deepEqual(
      first?.timeline.map(({ timeNanos }) => Number((timeNanos - start) / second)),
      [5, 10],
    );
  });

  test('findings below medium open none and join the one that opens', () => {
    const book = new Casebook();
    assert.deepEqual(book.take([at(0, { level: 'low', ruleId: 'weak' })]), []);
    const [opened] = book.take([at(1)]);
    assert.deepEqual(
      opened?.votes.map(({ ruleId }) => ruleId),
      ['rule', 'weak'],
    );
  });

  test('names rules by their ids as these are, also where digits look like the number of a card', () => {
    const ruleId = '41111111-1111-4111-8111-111111111113';
    const [opened] = new Casebook().take([at(1, { ruleId })]);
    assert.deepEqual([opened?.votes[0]?.ruleId, opened?.timeline[0]?.ruleId], [ruleId, ruleId]);
  });

  test('it grows in silence, and calls again when its level rises', () => {
    const book = new Casebook();
    const [first] = book.take([at(0)], [], start);
    assert.equal(first?.alertSeq, 1);
    assert.deepEqual(book.take([at(0.1)], [], start + second / 10n), []);
    const [grown] = book.advance(start + 3n * second);
    assert.deepEqual([grown?.findings, grown?.alertSeq], [2, 1]);
    const [risen] = book.take([at(4, { level: 'high', ruleId: 'worse' })]);
    assert.deepEqual([risen?.level, risen?.alertSeq], ['high', 2]);
    assert.ok(risen!.version > grown!.version);
    assert.deepEqual(book.advance(start + 60n * second), []);
  });

  test('an update of a finding raises its count and adds none', () => {
    const book = new Casebook();
    book.take([at(0)]);
    book.take([{ ...at(0), count: 7, lastSeenNanos: start + 2n * second }]);
    const [row] = book.flush();
    assert.deepEqual([row?.findings, row?.count, row?.lastSeenNanos], [1, 7, start + 2n * second]);
  });

  test('an injection and what was done after it make more than either', () => {
    const read = at(0, {
      tags: ['owasp.llm01'],
      ruleId: 'read',
      ruleTitle: 'Orders in a result',
      toolName: 'tickets_read',
    });
    const sent = at(1, { tags: ['atlas.aml.t0086'], ruleId: 'sent', ruleTitle: 'Data leaves', level: 'high' });
    const [row] = new Casebook().take([sent, read]);
    assert.equal(row?.level, 'critical');
    assert.match(row!.raisedBy, /^Orders in a result → Data leaves/);
    assert.equal(
      row?.headline,
      'support-agent called http_post after reading tickets_read with “Orders in a result”: Data leaves',
    );
    const [other] = new Casebook().take([
      { ...sent, timeNanos: start },
      { ...read, timeNanos: start + second },
    ]);
    assert.equal(other?.level, 'high', 'what was read afterwards explains nothing');
  });

  test('two cases become one: the earlier stays, the other points to it', () => {
    const book = new Casebook();
    const a = at(10, { conversationId: 'conversation-a', traceId: '0a'.repeat(16) });
    const b = at(0, { conversationId: 'conversation-b', traceId: '0b'.repeat(16) });
    const [rowA] = book.take([a]);
    const [rowB] = book.take([b]);
    assert.notEqual(rowA?.id, rowB?.id);
    const rows = book.take([], [[traceKey(a.traceId), traceKey(b.traceId)]]);
    assert.deepEqual(
      rows.map(({ id, mergedInto }) => [id, mergedInto]),
      [
        [rowB?.id, ''],
        [rowA?.id, rowB?.id],
      ],
    );
    assert.deepEqual(rows[0]?.chainIds, [rowA?.id, rowB?.id].sort());
    assert.equal(rows[0]?.findings, 2);
    assert.ok(rows.every(({ version }) => version > rowB!.version));
    assert.equal(book.size.cases, 1);
    assert.equal(book.counters.merged, 1);
  });

  test('a specific value joins sessions within a day, a generic one never', () => {
    const of = (conversationId: string, excerpt: string, seconds = 0): Finding =>
      at(seconds, {
        conversationId,
        traceId: conversationId.slice(-2).repeat(16),
        evidence: [{ selection: 's', field: 'spanwarden.text.tool_result', wanted: 'w', excerpt }],
      });
    const casesOf = (...findings: Finding[]): number => {
      const book = new Casebook();
      book.take(findings);
      return book.size.cases;
    };
    for (const same of [
      'see https://evil.example/a/b?x=1',
      'to jane.doe@evil.example',
      'IBAN DE89 3704 0044 0532 0130 00',
    ]) {
      assert.equal(casesOf(of('conversation-0a', same), of('conversation-0b', `also ${same}`)), 1, same);
    }
    const url = 'see https://evil.example/a/b';
    assert.equal(casesOf(of('conversation-0a', url), of('conversation-0b', url, 90_000)), 2, 'a day later');
    for (const generic of [
      'http://localhost:80/x',
      'support@shop.example',
      'ignore all',
      'key abcd****yz',
      'https://a.example/x…',
    ]) {
      assert.equal(casesOf(of('conversation-0a', generic), of('conversation-0b', generic)), 2, generic);
    }
  });

  test('a conversation and its traces are tied by spans that have no finding', () => {
    const ties: Tie[] = [1, 2].map((each) => [traceKey(`0${each}`.repeat(16)), conversationKey('long-enough-id', 's')]);
    const findings = [1, 2].map((each) => at(each, { conversationId: '', traceId: `0${each}`.repeat(16) }));
    for (const late of [false, true]) {
      const book = new Casebook();
      if (!late) book.take([], ties);
      for (const finding of findings) book.take([finding]);
      if (late) book.take([], ties);
      assert.equal(book.size.cases, 1);
    }
  });

  test('short conversation ids are not the same everywhere', () => {
    const book = new Casebook();
    const of = (serviceName: string): Finding =>
      at(0, { conversationId: '1', serviceName, traceId: serviceName.repeat(32).slice(0, 32) });
    book.take([of('a'), of('b')]);
    assert.equal(book.size.cases, 2);
  });

  test('too many cases let go of the stalest, and what comes again is a case of its own', () => {
    const book = new Casebook({ casesMax: 2 });
    const of = (each: number): Finding =>
      at(each, { conversationId: `conversation-${each}`, traceId: `0${each}`.repeat(16) });
    const rows = [1, 2, 3].flatMap((each) => book.take([of(each)]));
    assert.equal(book.size.cases, 2);
    assert.equal(book.counters.evicted, 1);
    const [again] = book.take([of(1)]);
    assert.ok(
      again !== undefined && !rows.some(({ id }) => id === again.id),
      'its row must not take the place of the first',
    );
  });

  test('a session without end and a span from far in the future cost others nothing', () => {
    const book = new Casebook({ keysPerCaseMax: 10 });
    const [other] = book.take([at(0, { conversationId: 'other-session', traceId: '0f'.repeat(16) })], [], start);
    for (let each = 0; each < 50; each++) {
      const traceId = each.toString(16).padStart(32, '0');
      book.take([at(each, { traceId })], [], start + BigInt(each) * second);
    }
    assert.ok(book.counters.forgottenKeys > 0);
    // Event time is what the caller says, not what a span says.
    book.take([at(50, { timeNanos: start * 2n, lastSeenNanos: start * 2n })], [], start + 60n * second);
    const later = { conversationId: 'other-session', traceId: '0e'.repeat(16), level: 'high' } as const;
    const [grown] = book.take([at(70, later)], [], start + 70n * second);
    assert.equal(grown?.id, other?.id);
    assert.equal(grown?.findings, 2);
  });

  test('what ties a trace to a conversation is forgotten when there are more ties than may be remembered', () => {
    const [long, other] = ['conversation-of-many-traces', 'support'] as const;
    const tieOf = (each: number): Tie => [traceKey(traceOf(each)), conversationKey(`${long}-${each}`, other)];
    const traceOf = (each: number): string => each.toString(16).padStart(32, '0');
    const casesOf = (book: Casebook): number => {
      for (let each = 0; each < 10; each++) book.take([], [tieOf(each)]);
      book.take([at(0, { traceId: traceOf(0) }), at(1, { conversationId: `${long}-0`, traceId: 'f'.repeat(32) })]);
      return book.size.cases;
    };
    assert.deepEqual([casesOf(new Casebook()), casesOf(new Casebook({ tiesMax: 10 }))], [1, 2]);
  });

  test('a quiet clock leaves little in the journal', () => {
    const book = new Casebook();
    for (let each = 0; each < 600; each++) book.advance(start + BigInt(each) * second);
    assert.ok(book.takeJournal().length < 200);
  });

  test('a case of very many findings stays bounded, and counts them', () => {
    const book = new Casebook();
    for (let each = 0; each < 1200; each++) book.take([at(each / 100, { id: each.toString(16).padStart(32, '0') })]);
    const [row] = book.flush();
    assert.equal(row?.findings, 1200);
    assert.equal(row?.timeline.length, 64);
    assert.equal(book.size.findings, 1000);
  });

  test('hostile names are bounded, on one line and without control characters', () => {
    const name = `\u001b[31m\n<img src=x>\u202e${'x'.repeat(1_000_000)}`;
    const [row] = new Casebook().take([at(0, { agentName: name, toolName: name, userId: name, conversationId: name })]);
    assert.ok(JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? `${value}` : value)).length < 5_000);
    assert.doesNotMatch(row!.headline, /[\p{Cc}\p{Cf}]/u);
    assert.ok(row!.headline.length < 600);
  });

  test('any order, batching and restart give the same cases in the end', () => {
    const finding = fc.record({
      seconds: fc.nat(29),
      conversation: fc.constantFrom('', 'conversation-a', 'conversation-b', 'conversation-c'),
      trace: fc.constantFrom('01', '02', '03', '04'),
      level: fc.constantFrom('low', 'medium', 'high') as fc.Arbitrary<Finding['level']>,
      tag: fc.constantFrom('owasp.llm01', 'atlas.aml.t0086', 'owasp.llm10'),
      value: fc.constantFrom('nothing', 'https://evil.example/path', 'jane@evil.example'),
    });
    const made = fc.array(finding, { minLength: 1, maxLength: 12 });
    const tied = fc.array(fc.tuple(fc.constantFrom('01', '02', '05'), fc.constantFrom('03', '04', '05')), {
      maxLength: 2,
    });
    fc.assert(
      fc.property(made, tied, fc.infiniteStream(fc.nat()), (all, pairs, numbers) => {
        const ties = pairs.map(([a, b]): Tie => [traceKey(a.repeat(16)), traceKey(b.repeat(16))]);
        // Around midnight, where chains change.
        const findings = all.map(({ seconds, conversation, trace, level, tag, value }, index) =>
          at(43_185 + seconds, {
            id: index.toString(16).padStart(32, '0'),
            conversationId: conversation,
            traceId: trace.repeat(16),
            level,
            ruleId: tag,
            tags: [tag],
            evidence: [{ selection: 's', field: 'spanwarden.text.user', wanted: 'w', excerpt: value }],
          }),
        );
        const plain = settled([{ findings, ties }], false);
        const steps = [
          ...findings.map((each) => ({ findings: [each], ties: [] })),
          ...ties.map((each) => ({ findings: [], ties: [each] })),
        ];
        const shuffled = steps
          .map((step) => ({ step, order: numbers.next().value }))
          .sort((a, b) => a.order - b.order)
          .map(({ step }) => step);
        assert.deepEqual(settled(shuffled, false), plain);
        assert.deepEqual(settled(shuffled, true), plain);
      }),
      { numRuns: 300 },
    );
  });
});

function at(seconds: number, other: Partial<Finding> = {}): Finding {
  const nanos = BigInt(Math.round(seconds * 1e9));
  const timeNanos = start + nanos;
  const id = `f${nanos.toString(16)}`.padStart(32, '0');
  return madeFinding({ id, timeNanos, ...other });
}

interface Step {
  readonly findings: readonly Finding[];
  readonly ties: readonly Tie[];
}

/** The newest rows of cases of their own, without what tells how they came about. */
function settled(steps: readonly Step[], restarts: boolean): unknown[] {
  const rows = new Map<string, Case>();
  let book = new Casebook();
  let checkpoint: Uint8Array | undefined;
  let journals: Uint8Array[] = [];
  const store = (cases: readonly Case[]): void => {
    for (const row of cases) {
      assert.ok(row.version > (rows.get(row.id)?.version ?? 0n), 'a row replaces the one before it');
      rows.set(row.id, row);
    }
  };
  for (const [index, { findings, ties }] of steps.entries()) {
    store(book.take(findings, ties));
    journals.push(book.takeJournal());
    if (!restarts) continue;
    const next = new Casebook();
    if (checkpoint) assert.equal(next.restore(checkpoint).status, 'restored');
    for (const journal of journals) next.replay(journal);
    book = next;
    if (index % 3 === 0) {
      checkpoint = book.snapshot();
      journals = [];
    }
  }
  store(book.flush());
  for (const { mergedInto } of rows.values()) assert.ok(mergedInto === '' || rows.get(mergedInto)?.mergedInto === '');
  return [...rows.values()]
    .filter(({ mergedInto }) => mergedInto === '')
    .map(({ version, alertSeq, alerted, ...row }) => row)
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}
