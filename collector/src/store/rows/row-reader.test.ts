import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Case, CaseDecision } from '../../model/case.ts';
import type { Finding } from '../../model/finding.ts';
import { levels } from '../../model/severity.ts';
import { decodeCases, encodeCases } from './cases.ts';
import { decodeFindings, encodeFindings } from './findings.ts';
import { RowReader } from './row-reader.ts';

const plain = { noNullPrototype: true } as const;
const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const texts = fc.array(text, { maxLength: 4 });
const nanos = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const version = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const count = fc.nat({ max: 2 ** 31 });
const level = fc.constantFrom(...levels);

const finding: fc.Arbitrary<Finding> = fc.record(
  {
    ...{ id: text, timeNanos: nanos, ruleId: text, ruleTitle: text, ruleVersion: text, level },
    response: fc.constantFrom('alert', 'approve', 'block' as const),
    ...{ tags: texts, reason: text, groupKey: text, chainId: text, traceId: text, spanId: text, spanName: text },
    ...{ serviceName: text, agentName: text, conversationId: text, userId: text, toolName: text },
    session: fc.option(
      fc.record({ id: text, source: fc.constantFrom('response', 'tool_call', 'prefix' as const) }, plain),
      {
        nil: undefined,
      },
    ),
    evidence: fc.array(fc.record({ selection: text, field: text, wanted: text, excerpt: text }, plain), {
      maxLength: 3,
    }),
    ...{ count, version, lastSeenNanos: nanos },
  },
  plain,
);

const undecided: fc.Arbitrary<Case> = fc.record(
  {
    ...{ id: text, version, day: fc.nat({ max: 65_535 }), mergedInto: text, headline: text, level, raisedBy: text },
    ...{ firstSeenNanos: nanos, lastSeenNanos: nanos, findings: count, count },
    votes: fc.array(fc.record({ ruleId: text, ruleTitle: text, level, findings: count, count }, plain), {
      maxLength: 3,
    }),
    timeline: fc.array(
      fc.record(
        {
          ...{ findingId: text, timeNanos: nanos, lastSeenNanos: nanos, count, ruleId: text, ruleTitle: text, level },
          ...{ traceId: text, spanId: text, spanName: text, agentName: text, toolName: text, shown: text },
        },
        plain,
      ),
      { maxLength: 3 },
    ),
    ...{ agents: texts, users: texts, conversations: texts, traceIds: texts, chainIds: texts },
    ...{ alertSeq: count, alerted: fc.boolean() },
  },
  plain,
);

const decision: fc.Arbitrary<CaseDecision> = fc.record(
  {
    action: fc.constantFrom('close', 'reopen'),
    ...{ atMicros: nanos, disposition: text, reason: text, by: text },
  },
  plain,
);

const caseRow = fc
  .tuple(undecided, fc.option(decision))
  .map(([row, made]): Case => (made === null ? row : { ...row, decision: made }));

/** Undefined is not stored. */
function stored({ session, ...rest }: Finding): Finding {
  return session === undefined ? rest : { ...rest, session };
}

test('findings are read back from their rows as they were', () => {
  fc.assert(
    fc.property(fc.array(finding, { maxLength: 4 }), (findings) => {
      assert.deepEqual(decodeFindings(Buffer.from(encodeFindings(findings).bytes)), findings.map(stored));
    }),
  );
});

test('cases are read back from their rows as they were', () => {
  fc.assert(
    fc.property(fc.array(caseRow, { maxLength: 3 }), (cases) => {
      assert.deepEqual(decodeCases(Buffer.from(encodeCases(cases).bytes)), cases);
    }),
  );
});

test('bytes that are no such rows are a RangeError, and take no memory beyond their own', () => {
  const { bytes } = encodeFindings(fc.sample(finding, 1));
  const cut = Buffer.from(bytes).subarray(0, bytes.length - 1);
  assert.throws(() => decodeFindings(cut), RangeError);
  assert.throws(() => decodeFindings(Buffer.from(bytes), 3), RangeError);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (any) => {
      try {
        decodeCases(Buffer.from(any));
        decodeFindings(Buffer.from(any));
      } catch (error) {
        assert.ok(error instanceof RangeError, String(error));
      }
    }),
  );
  const huge = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f]);
  assert.throws(() => new RowReader(huge).array(() => 0), RangeError);
  assert.throws(() => new RowReader(Buffer.concat([huge, huge])).string(), RangeError);
});
