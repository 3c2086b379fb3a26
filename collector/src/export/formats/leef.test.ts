import assert from 'node:assert/strict';
import test from 'node:test';
import { factsOf } from './facts.ts';
import { leef, leefPairs } from './leef.ts';
import { context, findingEvent } from './testing/events.ts';
import { assertGoldens } from './testing/goldens.ts';
import { assertFits, assertHarmless } from './testing/laws.ts';
import { parseLeef } from './testing/parsers.ts';
import { visible } from './text.ts';

const format = leef();

test('the finding and the case as they are committed', () => assertGoldens('leef', format));

test('no text of an event forges a field or a line, and each comes back', () => {
  assertHarmless(format, (body, event, context) => {
    const { header, extension } = parseLeef(body);
    const facts = factsOf(event, context, false);
    const eventId = event.kind === 'case' ? 'case' : visible(facts.ruleId, /[|^]/g);
    assert.deepEqual(header, ['LEEF:2.0', 'Spanwarden', 'Spanwarden', '0.1.0', eventId, '^']);
    const expected = leefPairs
      .map(({ key, of }): [string, string] => [key, visible(String(of(facts)), /\^/g)])
      .filter(([, value]) => value !== '');
    const extra = visible(facts.extra.team ?? '', /\^/g);
    if (extra !== '') expected.push(['team', extra], ['a_b', extra]);
    assert.deepEqual([...extension], expected);
  });
});

test('what would end a field is written as its code point', () => {
  const finding = { ...findingEvent.finding, agentName: 'a^sev=1\nb\tc=d|e', ruleId: 'x|y^z' };
  const body = format.encode({ ...findingEvent, finding }, context);
  assert.ok(body.includes('^agent=a<U+005E>sev=1<U+000A>b<U+0009>c=d|e^'), body);
  assert.ok(body.includes('|x<U+007C>y<U+005E>z|^|'), body);
});

test('the time is as devTimeFormat says', () => {
  const { extension } = parseLeef(format.encode(findingEvent, context));
  assert.equal(extension.get('devTime'), 'Nov 28 2026 10:02:20.250 UTC');
  assert.equal(extension.get('devTimeFormat'), 'MMM dd yyyy HH:mm:ss.SSS z');
});

test('texts are cut to the bytes that are allowed', () => {
  assertFits(format, (body) => parseLeef(body).extension.get('objectId'));
});
