import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Destination, SendOutcome } from '../collector/src/export/contract.ts';
import type { ExportEvent } from '../collector/src/model/export-event.ts';
import { caseEvent, findingEvent, hostileText, idOf } from './support/export-events.ts';
import { assertDelivered, opened, send } from './support/receivers/opened.ts';
import { type Fault, poison } from './support/receivers/receiver.ts';
import { type Subject, subjects } from './support/receivers/subjects.ts';

// Every destination against a receiver that enforces what is documented of the real one: what comes of each way to fail, and that
// what counts as delivered is what the receiver has.

function sample(subject: Subject, number: number, text?: string): ExportEvent {
  return subject.isForPeople ? caseEvent(number, text) : findingEvent(number, text);
}

function samples(subject: Subject, to: Destination, count: number): ExportEvent[] {
  return Array.from({ length: Math.min(count, to.limits.eventsMax) }, (_, index) => sample(subject, index + 1));
}

/** Sends what is left of a batch as the core does it, until nothing is; ids of what was refused. */
async function sendAll(to: Destination, events: readonly ExportEvent[]): Promise<string[]> {
  const outcome = await send(to, events);
  if (outcome.status === 'refused' || outcome.status === 'too_large') {
    if (events.length === 1) return events.map((event) => idOf(event));
    const half = Math.ceil(events.length / 2);
    return [...(await sendAll(to, events.slice(0, half))), ...(await sendAll(to, events.slice(half)))];
  }
  assert.equal(outcome.status, 'delivered', JSON.stringify(outcome));
  const refused = (outcome.refused ?? []).map(({ index }) => idOf(events[index]!));
  const again = (outcome.again ?? []).map((index) => events[index]!);
  return [...refused, ...(again.length > 0 ? await sendAll(to, again) : [])];
}

function reasonOf(outcome: SendOutcome): string {
  const text = outcome.status === 'delivered' ? outcome.answer : outcome.reason;
  assert.ok(text.length <= 300, `${text.length} characters`);
  assert.doesNotMatch(text, /[\p{Cc}\u2028\u2029]/u);
  return text;
}

for (const subject of subjects) {
  describe(subject.name, () => {
    test('events are delivered, in order, and the receiver has them', async () => {
      const { receiver, to } = await opened(subject);
      const events = samples(subject, to, 3);
      const outcome = await send(to, events);
      assertDelivered(outcome);
      assert.deepEqual(receiver.held, events.map(idOf));
      reasonOf(outcome);
    });

    test('what comes twice is there twice, or once where the protocol tells repetitions', async () => {
      const { receiver, to } = await opened(subject);
      const [event] = samples(subject, to, 1);
      for (const _ of [1, 2]) assertDelivered(await send(to, [event!]));
      assert.equal(receiver.held.length, subject.tellsRepetitions ? 1 : 2);
    });

    test('hostile texts stay inside of their event', async () => {
      const { receiver, to } = await opened(subject);
      const events = samples(subject, to, 3).map((_, index) => sample(subject, index + 1, hostileText));
      assertDelivered(await send(to, events));
      assert.deepEqual(receiver.held, events.map(idOf));
    });

    test('bodies stay within the bytes of the receiver, whatever the texts', async () => {
      const { receiver, to } = await opened(subject);
      const event = sample(subject, 1, '\u0000\u{1f600}"'.repeat(500_000));
      assert.ok(to.encode(event).length <= to.limits.bytesMax);
      assertDelivered(await send(to, [event]));
      assert.equal(receiver.held.length, 1);
    });

    const faults: readonly (readonly [Fault, SendOutcome['status'], RegExp])[] = [
      ['rate_limited', 'retryable', /429/],
      ['unavailable', 'retryable', /503/],
      ['cut', 'retryable', /ECONNRESET|aborted/],
      ['oversize', 'too_large', /413/],
      ['redirect', 'misconfigured', /points to http:\/\/127\.0\.0\.1:9\/login;/],
    ];
    for (const [fault, status, said] of faults) {
      test(`${fault} is ${status}`, async () => {
        const { receiver, to } = await opened(subject);
        receiver.fault = fault;
        const outcome = await send(to, samples(subject, to, 2));
        assert.equal(outcome.status, status, JSON.stringify(outcome));
        assert.match(reasonOf(outcome), said);
        if (fault === 'rate_limited') assert.equal((outcome as { retryAfterMs?: number }).retryAfterMs, 7000);
        // Nothing was followed, and after it all goes on as before.
        receiver.fault = undefined;
        receiver.held.length = 0;
        if (!subject.tellsRepetitions || fault !== 'cut') {
          const events = samples(subject, to, 2);
          assertDelivered(await send(to, events));
          assert.deepEqual(receiver.held, events.map(idOf));
        }
      });
    }

    test('a receiver that says nothing is waited for as long as timeout_ms', async () => {
      const { receiver, to } = await opened(subject, { timeout_ms: 300 });
      receiver.fault = 'slow';
      const outcome = await send(to, samples(subject, to, 1));
      assert.equal(outcome.status, 'retryable');
      assert.match(reasonOf(outcome), /timeout_ms \(300 ms\)/);
    });

    test('the caller can stop waiting', async () => {
      const { receiver, to } = await opened(subject);
      receiver.fault = 'slow';
      const stop = new AbortController();
      const sending = send(to, samples(subject, to, 1), stop.signal);
      stop.abort();
      assert.equal((await sending).status, 'retryable');
      assert.equal((await send(to, samples(subject, to, 1), stop.signal)).status, 'retryable');
    });

    test('a receiver that is gone is retryable', async () => {
      const { receiver, to } = await opened(subject);
      await receiver.close();
      const outcome = await send(to, samples(subject, to, 1));
      assert.equal(outcome.status, 'retryable');
      assert.match(reasonOf(outcome), /ECONNREFUSED|ECONNRESET/);
    });

    test('wrong credentials are the setup, and do not show', async () => {
      const { receiver, to } = await opened(subject, subject.wrong);
      const outcome = await send(to, samples(subject, to, 2));
      assert.equal(outcome.status, 'misconfigured', JSON.stringify(outcome));
      assert.doesNotMatch(reasonOf(outcome), /wrong-secret|d3Jvbmctc2VjcmV0/);
      assert.deepEqual(receiver.held, []);
    });

    test('an event that the receiver never takes is found, and all others arrive once', async () => {
      const { receiver, to } = await opened(subject);
      const count = Math.min(5, to.limits.eventsMax);
      const bad = Math.floor(count / 2);
      const events = samples(subject, to, count).map((event, index) =>
        index === bad ? sample(subject, index + 1, poison) : event,
      );
      const refused = await sendAll(to, events);
      const isHeld = (index: number): boolean => index !== bad || subject.takesAnything === true;
      if (!subject.refusesQuietly) assert.deepEqual(refused, events.filter((_, index) => !isHeld(index)).map(idOf));
      assert.deepEqual(receiver.held, events.filter((_, index) => isHeld(index)).map(idOf));
    });
  });
}
