import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Value } from '../model/value.ts';
import { jsonBounds } from './json-value.ts';
import { classKey, pythonShown } from './python-shown.ts';

const plain = (value: Value | undefined) => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));

test('plain data as Python shows it', () => {
  // Each as `repr` of Python 3 writes it.
  const shown: readonly (readonly [string, Value])[] = [
    ['None', null],
    ['[True, False]', [true, false]],
    ['-12', -12],
    ['0.1', 0.1],
    ['1e-07', 1e-7],
    ['()', []],
    ['(1,)', [1]],
    ["('a', 'b')", ['a', 'b']],
    ['{}', {}],
    ["{'a': {'b': [1, None]}, 2: 'c'}", { a: { b: [1, null] }, 2: 'c' }],
    [`"it's"`, "it's"],
    [`'it\\'s "so"'`, `it's "so"`],
    ["'\\\\n\\n\\t\\x00\\x7f\\u200b\\U000e0001é'", '\\n\n\t\0\x7f\u200b\u{e0001}é'],
    ["<Role.TOOL: 'tool'>", 'tool'],
    ["Call(name='a', extra=None)", { name: 'a', extra: null, [classKey]: 'Call' }],
    ['Empty()', { [classKey]: 'Empty' }],
  ];
  for (const [text, value] of shown) assert.deepEqual(plain(pythonShown(text)), value, text);
  assert.equal(pythonShown('123456789012345678901'), 123456789012345678901n);
});

test('what is not plain data is not read', () => {
  const texts = [
    '',
    'name',
    'f(1)',
    "f(*{'a': 1})",
    '1 + 1',
    "'a' 'b'",
    "b'a'",
    "'a",
    "'\\q'",
    "'\\ud83",
    "'\\U00110000'",
  ];
  const broken = [
    '[1',
    '[1,2]',
    '{1: }',
    '{[1]: 2}',
    '1abc',
    '1.2.3',
    '<function f at home>',
    "<A: 'a'",
    '__import__("os")',
  ];
  for (const text of [...texts, ...broken, 'None ', ' None', 'lambda: 0', '{1}', '(1', 'a.b', 'Infinity', 'nan'])
    assert.equal(pythonShown(text), undefined, text);
});

test('keys of senders are ordinary keys, and nothing nests too deep or is too much', () => {
  const map = pythonShown("{'__proto__': {'a': 1}}") as Readonly<Record<string, Value>>;
  assert.equal(Object.getPrototypeOf(map), null);
  assert.deepEqual(Object.keys(map), ['__proto__']);
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
  assert.notEqual(pythonShown(nested(jsonBounds.depth)), undefined);
  for (const depth of [jsonBounds.depth + 2, 1_000_000]) assert.equal(pythonShown(nested(depth)), undefined);
  const many = (count: number) => `[${Array.from({ length: count }, () => '1').join(', ')}]`;
  assert.notEqual(pythonShown(many(jsonBounds.members - 1)), undefined);
  assert.equal(pythonShown(many(jsonBounds.members)), undefined);
});

/** As `repr` writes it. */
function shown(value: Value): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') {
    const quote = value.includes("'") && !value.includes('"') ? '"' : "'";
    const inner = value
      .replaceAll('\\', '\\\\')
      .replaceAll('\n', '\\n')
      .replaceAll('\r', '\\r')
      .replaceAll('\0', '\\x00');
    return `${quote}${quote === "'" ? inner.replaceAll("'", "\\'") : inner}${quote}`;
  }
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[${value.map(shown).join(', ')}]`;
  return `{${Object.entries(value)
    .map(([key, member]) => `${shown(key)}: ${shown(member as Value)}`)
    .join(', ')}}`;
}

test('reading is the reverse of showing, and any text is read or is not', () => {
  const text = fc.string({
    unit: fc.constantFrom('a', "'", '"', '\\', '\n', '\r', '\0', 'é', '\u{1f600}', ',', ': ', '['),
  });
  const value = fc.letrec<{ value: Value }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom<Value>(null, true, false, 0, -1, 1.5, 1e21),
      text,
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(text, tie('value'), { maxKeys: 4 }),
    ),
  })).value;
  fc.assert(
    fc.property(value, (each) => assert.deepEqual(plain(pythonShown(shown(each))), plain(each))),
    { numRuns: 2_000 },
  );
  const pieces = [
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    ', ',
    ': ',
    '=',
    "'",
    '"',
    '\\',
    'None',
    'a',
    '1',
    '<',
    '>',
    'x41',
    ' ',
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 30 }), (parts) => {
      pythonShown(parts.join(''));
    }),
    { numRuns: 5_000 },
  );
});

test('functions and objects that show an address alone are nothing, and what else stands in such brackets is not read', () => {
  for (const text of [
    '<function read at 0x7f63>',
    '<function Tools._load.<locals>.read.<locals>.run at 0x7f7631421A80>',
    '<shop.Client object at 0x7f>',
    '<bound method Client.read of <shop.Client object at 0x7f>>',
  ])
    assert.deepEqual(pythonShown(`[${text}, 1]`), [null, 1], text);
  for (const text of [
    "<Page text='a'>",
    "<function x at 0x1, origin=ToolCall(id='c')>",
    "<x object at 0x1> , id='c'",
    '<function x at home>',
    '<function',
    `<function ${'a'.repeat(100_000)}`,
  ])
    assert.equal(pythonShown(`[${text}]`), undefined, text.slice(0, 60));
});
