import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { SendOutcome } from '../collector/src/export/contract.ts';
import { caseEvent, findingEvent } from './support/export-events.ts';
import { opened, send } from './support/receivers/opened.ts';
import { type Answer, type Fault, Receiver } from './support/receivers/receiver.ts';
import { subjectNamed, subjects } from './support/receivers/subjects.ts';

// Receivers, and whatever answers in their place, say what they like. What comes of it is an outcome that the core can trust.

/** Answers every request with the same. */
class Parrot extends Receiver {
  answer: Answer = { code: 200 };

  constructor() {
    super({ bytesMax: 50_000_000 }, (self) => () => (self as Parrot).answer);
  }
}

/** JSON with the members that destinations look at, of any kind. */
const members = [
  ...[
    'code',
    'text',
    'invalid-event-number',
    'ackId',
    'acks',
    'items',
    'errors',
    'create',
    'status',
    'error',
    'type',
    'reason',
  ],
  ...[
    'partialSuccess',
    'rejectedLogRecords',
    'errorMessage',
    'access_token',
    'expires_in',
    'message',
    'result',
    'toString',
    'valueOf',

    '0',
    '1',
  ],
];
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<unknown>(
      0,
      1,
      2,
      3,
      6,
      12,
      200,
      201,
      400,
      409,
      429,
      -1,
      1e300,
      true,
      null,
      'Success',
      'ya29.token',
    ),
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.dictionary(fc.constantFrom(...members), tie('value'), { maxKeys: 4 }),
    fc.array(tie('value'), { maxLength: 4 }),
  ),
}));
const answers: fc.Arbitrary<Answer> = fc.record({
  code: fc.oneof(fc.constantFrom(200, 202, 204, 400, 401, 413, 429, 500), fc.integer({ min: 200, max: 599 })),
  headers: fc.record(
    {
      'retry-after': fc.constantFrom('5', '-1', 'Thu, 01 Jan 2026 00:00:00 GMT', 'x', '9'.repeat(40)),
      location: fc.constantFrom('http://127.0.0.1/x', '//', 'javascript:1', 'https://u:p@e.example/?t=1'),
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<Record<string, string>>,
  body: fc.oneof(
    value.map((json) => JSON.stringify(json)),
    fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
  ),
});

function assertSound(outcome: SendOutcome, events: number): void {
  const texts = outcome.status === 'delivered' ? [outcome.answer] : [outcome.reason];
  const places =
    outcome.status === 'delivered'
      ? [...(outcome.refused ?? []).map(({ index }) => index), ...(outcome.again ?? [])]
      : [];
  if (outcome.status === 'delivered') texts.push(...(outcome.refused ?? []).map(({ reason }) => reason));
  for (const text of texts) {
    assert.ok(text.length <= 300, String(text.length));
    assert.doesNotMatch(text, /[\p{Cc}\p{Zl}\p{Zp}]|internal error|u:p@|\?t=1/u);
  }
  assert.equal(new Set(places).size, places.length);
  assert.ok(places.every((place) => Number.isInteger(place) && place >= 0 && place < events));
  const wait = (outcome as { retryAfterMs?: number }).retryAfterMs;
  assert.ok(wait === undefined || (wait >= 0 && wait <= 3_600_000), String(wait));
}

for (const subject of subjects) {
  test(`${subject.name}: whatever is answered, the outcome is one that can be trusted`, async () => {
    const { receiver, to } = await opened<Parrot>(
      { ...subject, start: () => new Parrot().start() },
      { timeout_ms: 2000 },
    );
    const events = [1, 2, 3]
      .slice(0, to.limits.eventsMax)
      .map((number) => (subject.isForPeople ? caseEvent : findingEvent)(number));
    await fc.assert(
      fc.asyncProperty(
        answers,
        fc.constantFrom<Fault | undefined>(undefined, undefined, 'cut'),
        async (answer, fault) => {
          receiver.answer = answer;
          receiver.fault = fault;
          assertSound(await send(to, events), events.length);
        },
      ),
      { numRuns: 60 },
    );
  });
}

test('elasticsearch: what counts as delivered is what a status of its own says', async () => {
  const { receiver, to } = await opened<Parrot>({
    ...subjectNamed('elasticsearch'),
    start: () => new Parrot().start(),
  });
  const events = [1, 2, 3].map((number) => findingEvent(number));
  const status = fc.constantFrom<unknown>(
    200,
    201,
    400,
    409,
    422,
    429,
    500,
    503,
    0,
    -1,
    'x',
    null,
    undefined,
    {},
    [201],
  );
  const item = fc.oneof(fc.record({ create: fc.record({ status, error: value }) }), value);
  await fc.assert(
    fc.asyncProperty(fc.tuple(item, item, item), async (items) => {
      receiver.answer = { code: 200, body: JSON.stringify({ errors: true, items }) };
      const outcome = await send(to, events);
      assertSound(outcome, events.length);
      if (outcome.status !== 'delivered') return;
      const left = [...(outcome.refused ?? []).map(({ index }) => index), ...(outcome.again ?? [])];
      for (const [index, said] of items.entries()) {
        const own = (said as { create?: { status?: unknown } } | null)?.create?.status;
        assert.equal(left.includes(index), !(own === 200 || own === 201 || own === 409), JSON.stringify(said));
      }
    }),
    { numRuns: 300 },
  );
});
