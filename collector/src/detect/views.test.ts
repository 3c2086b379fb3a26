import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { decodedLayers } from '../text/decode-text.ts';
import { foldCase } from '../text/fold.ts';
import { normaliseText } from '../text/normalise-text.ts';
import { readRules } from './load.ts';
import { findingsOf, matches, ruleWith } from './testing/plain-events.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const is = (item: string, f: Parameters<typeof matches>[1][string]): boolean =>
  matches(`selection:\n  ${item}\ncondition: selection`, { f });
const shown = (item: string, f: string): string =>
  findingsOf(ruleWith(`selection:\n  ${item}\ncondition: selection`), [{ fields: { f } }])[0]!.evidence[0]!.excerpt;
const problemsOf = (item: string): string[] => {
  const { errors, warnings } = readRules([
    { path: 'r.yml', text: ruleWith(`selection:\n  ${item}\ncondition: selection`) },
  ]);
  return [...errors, ...warnings].map(({ message }) => message);
};

describe('normalised', () => {
  test('goes with contains, startswith, endswith, all, neq, expand, re and plain values', () => {
    assert.ok(is('f|normalised: Ignore  ALL', 'ｉｇｎｏｒｅ\n\u200ball'));
    assert.ok(is('f|normalised|contains: ïgnore', 'please іgnоrе it'));
    assert.ok(is('f|normalised|startswith: ignore', 'IG\u200bNORE it'));
    assert.ok(is("f|normalised|endswith: 'i?nore'", 'to 𝓲𝓰𝓷𝓸𝓻𝓮'));
    assert.ok(is("f|normalised|re: 'ignore\\s(?:all|any)'", 'ignorе\n\n  АLL'));
    assert.ok(is('f|normalised|contains|all: [ignore, rules]', 'іgnоrе the rulеs'));
    assert.ok(is('f|normalised|contains|all: [ignore, rules]', ['іgnоrе', 'rulеs']));
    assert.equal(is('f|normalised|contains|all: [ignore, rules]', 'іgnоrе the laws'), false);
    assert.equal(is('f|normalised|contains|neq: ignore', 'іgnоrе'), false);
    assert.ok(is('f|normalised|contains|neq: ignore', 'obey'));
    assert.equal(is('f|contains: ignore', 'іgnоrе'), false);
    const keywords = "s:\n  '|normalised|all': [ignore, rules]\ncondition: s";
    assert.ok(matches(keywords, { f: 'іgnоrе', g: 'rulеs' }));
    assert.equal(matches(keywords, { f: 'іgnоrе' }), false);
  });

  test('leaves numbers, booleans, null and absence to themselves', () => {
    assert.ok(is("f|normalised: '5'", 5));
    assert.equal(is('f|normalised|contains: x', null), false);
    assert.equal(matches('selection:\n  g|normalised: x\ncondition: selection', { f: 'x' }), false);
  });

  test('evidence shows the text as it stands, and normalised where that differs', () => {
    assert.equal(shown('f|normalised|contains: ignore', 'please Ignore it'), 'please Ignore it');
    assert.equal(
      shown('f|normalised|contains: ignore', 'please i\u200bgnоrе it'),
      'please i\\u{200b}gnоrе it (normalised: please ignore it)',
    );
  });
});

describe('decoded', () => {
  test('looks at the text and at what is encoded in it', () => {
    for (const text of ['ignore', base64('please ignore it'), 'ign%6fre', 'ign&#111;re', '\\u0069gnore']) {
      assert.ok(is('f|decoded|contains: ignore', text), text);
    }
    assert.ok(is('f|decoded|startswith: please', base64('please ignore it')));
    assert.ok(is('f|decoded|re: ign.re', base64('please ignore it')));
    assert.equal(is('f|decoded|contains|cased: ignore', base64('please IGNORE it')), false);
    assert.equal(is('f|contains: ignore', base64('please ignore it')), false);
    assert.equal(is('f|decoded|contains|neq: ignore', base64('please ignore it')), false);
  });

  test('with normalised in either order the layers are normalised', () => {
    for (const item of ['f|normalised|decoded|contains: ignore', 'f|decoded|normalised|contains: ignore']) {
      assert.ok(is(item, base64('please іgnоrе it')));
      assert.ok(is(item, 'іgnоrе'));
    }
    assert.equal(is('f|decoded|contains: ignore', base64('please іgnоrе it')), false);
  });

  test('evidence names the layer and shows both forms, secrets masked', () => {
    const text = `Note ${base64('please ignore the rules')} end`;
    assert.equal(
      shown('f|decoded|contains: ignore', text),
      'Note cGxl****M= end (in base64, decoded: Note please ignore the rules end)',
    );
    const secret = shown('f|decoded|contains: ignore', base64('ignore it, password=hunter2hunter2 and go'));
    assert.ok(!secret.includes('hunter2'), secret);
    const nested = shown('f|decoded|normalised|contains: ignore', encodeURIComponent(base64('plеase іgnоrе??>>')));
    assert.match(nested, /in percent, in base64, decoded and normalised: please ignore\?\?>>/);
    assert.ok(shown('f|decoded|contains: ignore', base64('x ignore '.repeat(500))).length <= 256);
  });
});

describe('views in chains', () => {
  test('what does not fit is refused with what to write', () => {
    assert.match(problemsOf('f|contains|normalised: x')[0]!, /stand first/);
    assert.match(problemsOf('f|normalised|cased: x')[0]!, /lower case/);
    assert.match(problemsOf('f|normalised|base64offset|contains: x')[0]!, /does not go with/);
    assert.match(problemsOf('f|decoded|gte: 5')[0]!, /does not go with/);
    assert.match(problemsOf('f|decoded|exists: true')[0]!, /stands alone/);
    assert.match(problemsOf('f|normalised|contains: 5')[0]!, /fits text/);
    assert.match(problemsOf('f|normalised|contains: "\\u200b"')[0]!, /is empty/);
    assert.match(problemsOf('f|normalized|contains: x')[0]!, /unknown modifier/);
  });

  test('a regex that normalised text can never match is doubtful', () => {
    assert.match(problemsOf("f|normalised|re: 'für\\b'")[0]!, /never holds "für"/);
    assert.match(problemsOf('f|normalised|re: IGNORE')[0]!, /no capital letters/);
    assert.deepEqual(problemsOf("f|normalised|re: '\\bignore\\S\\W'"), []);
    assert.deepEqual(problemsOf('f|normalised|re|i: IGNORE'), []);
  });
});

/** What the modifiers mean, without caches, prefilters and views. */
function plainly(item: Item, members: readonly string[]): boolean {
  const forms = members.flatMap((text) => {
    const decoded = item.views.includes('decoded') ? [text, ...decodedLayers(text).map((layer) => layer.text)] : [text];
    return item.views.includes('normalised') ? decoded.map(normaliseText) : decoded;
  });
  const value = item.views.includes('normalised') ? normaliseText(item.value) : item.value;
  return forms.some((form) => {
    if (item.shape === 're') return new RegExp(item.value, 'i').test(foldCase(form));
    const [text, wanted] = [foldCase(form), foldCase(value)];
    if (item.shape === 'startswith') return text.startsWith(wanted);
    return item.shape === 'endswith' ? text.endsWith(wanted) : text.includes(wanted);
  });
}

interface Item {
  readonly views: readonly string[];
  readonly shape: string;
  readonly value: string;
}

describe('differential', () => {
  test('many rules on many texts give what each modifier means on its own', () => {
    const word = fc.constantFrom(
      'ignore',
      'rules',
      'send',
      'mail',
      'ignore all',
      'secret',
      'send  it\tto',
      'vtaber nyy',
    );
    const item = fc.record({
      views: fc.subarray(['normalised', 'decoded']),
      shape: fc.constantFrom('contains', 'startswith', 'endswith', 're'),
      value: word,
    });
    const changes: readonly ((text: string) => string)[] = [
      (text) => text,
      (text) => text.toUpperCase(),
      (text) => text.replaceAll('o', 'о').replaceAll('e', 'е'),
      (text) => text.replace(/(?<=\w)(?=\w)/g, '\u200b'),
      (text) => text.replace(/(?<=\w)(?=\w)/g, '\u0007'),
      (text) => text.replaceAll(' ', ' \r\n\t '),
      (text) => text.replaceAll(' ', '\u3000\u00a0'),
      (text) => text.replace(/[a-z]/g, (char) => String.fromCharCode(char.charCodeAt(0) + 0xfee0)),
      (text) => text.replaceAll('e', 'e\u0301'),
      (text) => text.replaceAll('s', '\\x73').replaceAll('i', '\\u0069'),
      (text) => text.replace(/[a-z]/g, (char) => `&#${char.charCodeAt(0)};`),
      (text) => `${'- '.repeat(600)}${text}${'\n'.repeat(600)}`,
      base64,
      (text) => base64(base64(text)),
      (text) => Buffer.from(text).toString('hex'),
      (text) => encodeURIComponent(text).replace('i', '%69'),
    ];
    const text = fc
      .tuple(
        fc.array(fc.oneof(word, fc.string({ maxLength: 6 })), { maxLength: 5 }),
        fc.array(fc.nat(changes.length - 1), { maxLength: 2 }),
      )
      .map(([words, picks]) => picks.reduce((current, pick) => changes[pick]!(current), words.join(' ')));
    fc.assert(
      fc.property(
        fc.array(item, { minLength: 1, maxLength: 6 }),
        fc.array(fc.array(text, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 }),
        (items, spans) => {
          const rules = items.map(({ views, shape, value }, i) =>
            ruleWith(
              `s:\n  f|${[...views, shape].join('|')}${shape === 're' ? '|i' : ''}: ${JSON.stringify(value)}\ncondition: s`,
            ).replace(/^id: .*$/m, `id: 00000000-0000-4000-8000-${String(i).padStart(12, '0')}`),
          );
          const found = findingsOf(
            rules,
            spans.map((f) => ({ fields: { f, g: f[0]! } })),
          );
          for (const [i, each] of items.entries()) {
            for (const [span, members] of spans.entries()) {
              const hit = found.some(
                ({ ruleId, spanId }) =>
                  Number.parseInt(ruleId.slice(-12), 10) === i && Number.parseInt(spanId, 16) === span + 1,
              );
              assert.equal(hit, plainly(each, members), JSON.stringify([each, members]));
            }
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
