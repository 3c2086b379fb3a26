import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { messageOf } from '../collector/src/export/destinations/message.ts';
import type { CaseEvent } from '../collector/src/model/export-event.ts';
import { caseEvent, findingEvent, hostileText } from './support/export-events.ts';
import { assertDelivered, context, opened, send } from './support/receivers/opened.ts';
import type { OpsgenieReceiver } from './support/receivers/opsgenie.ts';
import type { PagerdutyReceiver } from './support/receivers/pagerduty.ts';
import { parsed, type Receiver } from './support/receivers/receiver.ts';
import type { SlackReceiver } from './support/receivers/slack.ts';
import { subjectNamed } from './support/receivers/subjects.ts';

// Chat and paging: what people read, and what must not happen when a text was written by somebody who wants it to.

const closed: CaseEvent = { ...caseEvent(1), activity: 'close' };
const opening = caseEvent(1);
const worse: CaseEvent = { ...opening, id: `${opening.case.id}-2`, activity: 'update' };
const merged: CaseEvent = { ...opening, activity: 'update', case: { ...opening.case, mergedInto: 'a'.repeat(32) } };

async function sentTo<Own extends Receiver>(name: string, ...events: CaseEvent[]): Promise<Own> {
  const { receiver, to } = await opened<Own>(subjectNamed(name));
  for (const event of events) assertDelivered(await send(to, [event]));
  return receiver;
}

function bodyOf(receiver: Receiver): Record<string, unknown> {
  return parsed(String(receiver.requests[0]?.body)) as Record<string, unknown>;
}

/** Every object of a JSON value. */
function* objectsIn(value: unknown): Generator<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield value as Record<string, unknown>;
  for (const member of Object.values(value)) yield* objectsIn(member);
}

test('a message says what happened, to whom, and where to look', () => {
  assert.deepEqual(messageOf(opening, context), {
    subjectId: opening.case.id,
    level: 'critical',
    heading: 'CRITICAL case',
    text: 'Agent support sent data after reading a page',
    facts: [
      ['Rules', 'Agent support sent data after reading a page'],
      ['Agents', 'Agent support sent data after reading a page'],
      ['Users', 'user-1'],
      ['Tools', 'http.get'],
      ['Findings', '1, seen 2 times'],
      ['environment', 'test'],
    ],
    link: 'https://grafana.example/d/cases?id=1',
    isOver: false,
    timeMs: 1_790_000_060_000,
  });
  assert.equal(messageOf(closed, context).heading, 'Closed: CRITICAL case');
  assert.equal(messageOf(worse, context).heading, 'Update: CRITICAL case');
  assert.equal(messageOf(merged, context).heading, 'Merged: CRITICAL case');
  assert.equal(messageOf({ ...findingEvent(1), isSample: true }, context).heading, '[SAMPLE] HIGH finding');
});

test('texts of messages are one bounded line without addresses and without what cannot be seen', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 3000 }), (text) => {
      const message = messageOf(caseEvent(1, `${text} https://evil.example www.evil.example mailto:x@y`), context);
      for (const shown of [message.text, ...message.facts.map(([, value]) => value)]) {
        assert.ok(shown.length <= 500, String(shown.length));
        assert.doesNotMatch(shown, /[\p{C}\p{Zl}\p{Zp}]|:\/\/|www\.|mailto:/u);
      }
    }),
  );
});

test('a link that is none of the web, or that would end its place, is not shown as such', () => {
  const linked = (link: string) => messageOf(opening, { ...context, link: () => link }).link;
  for (const link of [
    'javascript:alert(1)',
    'data:text/html,x',
    'no link',
    '/d/1',
    `https://a.example/${'x'.repeat(3000)}`,
  ]) {
    assert.equal(linked(link), '', link);
  }
  assert.doesNotMatch(linked('https://a.example/?q=x|y>z <@U1>`'), /[|<>`\s]/);
});

test('slack: texts of events stand where Slack sees no mentions, links or formatting', async () => {
  const receiver = await sentTo<SlackReceiver>('slack', caseEvent(1, hostileText));
  const { text, blocks } = bodyOf(receiver);
  assert.doesNotMatch(String(text), /[<>]|:\/\//);
  const texts = [...objectsIn(blocks)].filter(({ type }) => type === 'mrkdwn' || type === 'plain_text');
  const marked = texts.filter(({ type }) => type === 'mrkdwn');
  assert.deepEqual(
    marked.map((object) => [object.text, object.verbatim]),
    [[`<https://grafana.example/d/cases?id=1|Open> \`${opening.case.id}\``, true]],
  );
  const plain = texts.filter(({ type }) => type === 'plain_text').map((object) => String(object.text));
  assert.ok(plain.some((shown) => shown.includes('‹!channel›')));
  assert.ok(plain.every((shown) => !/[<>]/.test(shown)));
});

test('slack: an archived channel is the setup', async () => {
  const { receiver, to } = await opened<SlackReceiver>(subjectNamed('slack'));
  receiver.isArchived = true;
  const outcome = await send(to, [opening]);
  assert.deepEqual(outcome, { status: 'misconfigured', reason: 'HTTP 410 Gone: channel_is_archived' });
});

test('teams: texts of events stand in text runs alone, which know no Markdown, and nobody is mentioned', async () => {
  const receiver = await sentTo('teams', caseEvent(1, hostileText));
  const objects = [...objectsIn(bodyOf(receiver))];
  const types = new Set(objects.map(({ type }) => type).filter((type) => type !== undefined));
  assert.deepEqual([...types].sort(), ['Action.OpenUrl', 'AdaptiveCard', 'RichTextBlock', 'TextRun', 'message']);
  assert.ok(!objects.some((object) => 'entities' in object || 'selectAction' in object));
});

test('pagerduty: an alert for a case, triggered again by its updates, resolved when it is closed or merged', async () => {
  const receiver = await sentTo<PagerdutyReceiver>('pagerduty', opening, worse);
  const alert = () => receiver.alerts.get(opening.case.id);
  assert.deepEqual(alert(), {
    open: true,
    triggers: 2,
    summary: 'CRITICAL case: Agent support sent data after reading a page',
  });
  for (const event of [closed, merged]) {
    const other = await sentTo<PagerdutyReceiver>('pagerduty', opening, event);
    assert.equal(other.alerts.get(opening.case.id)?.open, false);
  }
});

test('pagerduty: the key is in the request and not in what is kept of the event', async () => {
  const { receiver, to } = await opened<PagerdutyReceiver>(subjectNamed('pagerduty'));
  assertDelivered(await send(to, [opening]));
  const { routing_key: key } = bodyOf(receiver);
  assert.equal(String(key).length, 32);
  assert.ok(!to.encode(opening).includes(String(key)));
});

test('opsgenie: an alert for a case under its id, closed when it is closed', async () => {
  const receiver = await sentTo<OpsgenieReceiver>('opsgenie', opening, worse, closed);
  assert.deepEqual([...receiver.alerts], [[opening.case.id, false]]);
  assert.equal(bodyOf(receiver).priority, 'P1');
});
