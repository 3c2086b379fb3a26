import assert from 'node:assert/strict';
import test from 'node:test';
import { cef, cefPairs } from './cef.ts';
import { factsOf } from './facts.ts';
import { context, findingEvent } from './testing/events.ts';
import { assertGoldens } from './testing/goldens.ts';
import { assertFits, assertHarmless } from './testing/laws.ts';
import { parseCef } from './testing/parsers.ts';
import { codePoint, visible } from './text.ts';

const format = cef();

test('the finding and the case as they are committed', () => assertGoldens('cef', format));

test('no text of an event forges a field or a line, and each comes back', () => {
  assertHarmless(format, (body, event, context) => {
    const { header, extension } = parseCef(body);
    const facts = factsOf(event, context, false);
    const classId = event.kind === 'case' ? 'case' : facts.ruleId;
    assert.deepEqual(header.slice(0, 4), ['CEF:0', 'Spanwarden', 'Spanwarden', '0.1.0']);
    assert.deepEqual(header.slice(4), [visible(classId), visible(facts.title), String(facts.severity.cef)]);
    const labels = cefPairs.flatMap(({ key, label }) => (label === undefined ? [] : [[`${key}Label`, label] as const]));
    const expected = new Map<string, string>();
    for (const { key, of } of cefPairs) {
      const value = shown(String(of(facts)));
      if (value !== '') expected.set(key, value);
    }
    for (const [key, label] of labels) if (expected.has(key.replace(/Label$/, ''))) expected.set(key, label);
    const extra = shown(facts.extra.team ?? '');
    if (extra !== '') expected.set('team', extra).set('a_b', extra);
    assert.deepEqual(sorted(extension), sorted(expected));
  });
});

test('values escape what CEF escapes', () => {
  const finding = { ...findingEvent.finding, agentName: 'a=b|c\\d\ne\rf\u001b', ruleTitle: 'x|y\\z\n=' };
  const body = format.encode({ ...findingEvent, finding }, context);
  assert.ok(body.includes(' cs1=a\\=b|c\\\\d\\ne\\rf<U+001B> cs1Label=agent '), body);
  assert.ok(body.includes('|x\\|y\\\\z<U+000A>=|8|'), body);
});

test('a field of the user takes none of ours', () => {
  const body = format.encode(findingEvent, {
    ...context,
    extraFields: () => ({ suser: 'root', 'cs1.x': 'y', cs1Label: 'z' }),
  });
  const { extension } = parseCef(body);
  assert.equal(extension.get('suser'), 'user-42');
  assert.equal(extension.get('cs1_x'), 'y');
  assert.equal(extension.get('cs1Label'), 'agent');
});

test('texts keep to the lengths of the dictionary and to the bytes that are allowed', () => {
  const long = format.encode(
    { ...findingEvent, finding: { ...findingEvent.finding, reason: 'ä'.repeat(5000) } },
    context,
  );
  assert.equal(Buffer.byteLength(parseCef(long).extension.get('msg') ?? '') <= 1023, true);
  assertFits(format, (body) => parseCef(body).extension.get('externalId'));
});

/** CEF has escapes for line breaks in values, and for nothing else that cannot be seen. */
function shown(text: string): string {
  return text
    .toWellFormed()
    .split(/([\r\n])/)
    .map((part) => (part === '\n' || part === '\r' ? part : visible(part)))
    .join('');
}

function sorted(map: ReadonlyMap<string, string>): [string, string][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

test('code points are written in at least four digits', () => assert.equal(codePoint('\n'), '<U+000A>'));
