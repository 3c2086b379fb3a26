import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { Report } from './report.ts';
import { readDocuments } from './yaml-document.ts';
import { readEvents } from './yaml-events.ts';

const shipped = globSync('../../../rules/**/*.yml', { cwd: import.meta.dirname }).map((path) =>
  readFileSync(new URL(path, import.meta.url), 'utf8'),
);

/** Whether the quick reading reads the text; if it does, the thorough one must read the same and have nothing to say. */
function agrees(text: string): boolean {
  const quick = readEvents('rule.yml', text);
  if (quick === undefined) return false;
  const report = new Report();
  const thorough = readDocuments('rule.yml', text, report, 'SW_RULE_YAML');
  assert.deepEqual([...report.errors, ...report.warnings], [], JSON.stringify(text));
  assert.deepEqual(quick, thorough, JSON.stringify(text));
  return true;
}

test('most shipped rules are read quickly, with the nodes and places of the thorough reading', () => {
  assert.ok(shipped.length > 50);
  assert.ok(shipped.filter(agrees).length > shipped.length * 0.8);
});

test('each kind of scalar, collection and document has the same value and place in both readings', () => {
  const texts = [
    'a: b\n---\nc: d\n',
    '- a\n- - b\n  - c: d\n    e: f\n',
    '{a: b, "c": [d, e: f, {g: h}]}\n',
    "k|x: |-\n  one\n\n  two\n'q|>': > # note |\n  three\n  four\n\n   five\nlast: |+\n  end\n\n",
    "plain: of\n  two lines\nquoted: \"a\n  b\\u00e9\\x41\"\nsingle: 'it''s\n\n  c'\n",
    '[1, -7, 9007199254740993, 0x1f, 0o17, 1.5, .5, 1e3, -.inf, .NaN, -0, +3]\n',
    '[null, ~, Null, true, TRUE, False, nul, tRue, 1.2.3, 0x, 1_000, 2026-11-28, <<]\n',
    '# first\na: b # second\n\n# third\nc:\n# fourth\n- d\n',
    'a: b\r\nc: |\r\n  d\r\n  e\r\n',
    '',
  ];
  for (const text of texts) assert.ok(agrees(text), JSON.stringify(text));
});

test('what needs a word to the user is left to the thorough reading', () => {
  const texts = [
    ...['a: 1\na: 2\n', 'a: &x b\nc: *x\n', 'a: !!str b\n', '%YAML 1.1\n---\na: b\n', 'a:\n', 'a: {}\n', '- yes\n'],
    ...['- 017\n', '1: a\n', '? [a]\n: b\n', "x:\n- 'it's: b\n", "x:\n- 'it's'\": b\n", '\ta: b\n', 'a: b: c\n'],
    `${'- '.repeat(40)}a\n`,
    `[${'a, '.repeat(100_000)}a]\n`,
    `a: ${'x'.repeat(20_000)}\n`,
  ];
  for (const text of texts) assert.equal(readEvents('rule.yml', text), undefined, JSON.stringify(text.slice(0, 99)));
});

test('texts that were broken by an edit are read as the thorough reading reads them, or not', () => {
  const start = fc.oneof(
    fc.constantFrom('a:\n  - b\n  - c\n', '- a\n- b: c\n  d: e\n', 'a: >-\n  x\n\n  y\n   z\n', '{a: b, c: [d, e]}\n'),
    fc.constantFrom(
      '"a": \'b\'\nb: c\n  d\n',
      "x:\n- 'it' s: b\n- [a]\n",
      'x: "a\n  b\\\n  c"\n',
      'a|b: |2\n    c\n  d\n',
    ),
    fc.constantFrom(...shipped).chain((text) => {
      const lines = text.split('\n');
      return fc.nat(lines.length).map((from) => `${lines.slice(from, from + 12).join('\n')}\n`);
    }),
  );
  const marks = [
    '\n',
    ' ',
    '  ',
    '- ',
    ': ',
    ' #',
    '|',
    '>',
    '"',
    "'",
    '{',
    '}',
    '[',
    ']',
    ',',
    '? ',
    '\t',
    '\r',
    '~',
    '0',
  ];
  const more = [
    '&a ',
    '*a',
    '!',
    '%',
    '@',
    '\n- ',
    '\n  ',
    '\n---\n',
    '\n...\n',
    'é',
    '\\',
    '|-\n',
    '>+\n',
    '1e3',
    'true',
  ];
  const edit = fc.record({ at: fc.nat(), cut: fc.nat(2), put: fc.constantFrom('', ...marks, ...more) });
  let quick = 0;
  fc.assert(
    fc.property(start, fc.array(edit, { minLength: 1, maxLength: 4 }), (text, edits) => {
      let edited = text;
      for (const { at, cut, put } of edits) {
        const place = at % (edited.length + 1);
        edited = edited.slice(0, place) + put + edited.slice(place + cut);
      }
      if (agrees(edited)) quick++;
    }),
    { numRuns: 5_000, seed: 1 },
  );
  assert.ok(quick > 500);
});
