import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { createTerminal, displayWidth, escapeControl, jsonLine, truncate } from './terminal.ts';

function sink(isTTY: boolean) {
  let text = '';
  return { isTTY, columns: 80, write: (part: string) => (text += part), text: () => text };
}

test('colours only on a terminal, and NO_COLOR, TERM=dumb and FORCE_COLOR are honoured', () => {
  assert.equal(createTerminal(sink(true), {}).red('x'), '\u001b[31mx\u001b[39m');
  assert.equal(createTerminal(sink(false), {}).red('x'), 'x');
  assert.equal(createTerminal(sink(true), { NO_COLOR: '1' }).red('x'), 'x');
  assert.equal(createTerminal(sink(true), { TERM: 'dumb' }).red('x'), 'x');
  assert.equal(createTerminal(sink(false), { FORCE_COLOR: '1' }).bold('x'), '\u001b[1mx\u001b[22m');
  assert.equal(createTerminal(sink(false), { FORCE_COLOR: '1', NO_COLOR: '1' }).bold('x'), 'x');
});

test('a table aligns by what the eye sees, not by bytes or styles', () => {
  const terminal = createTerminal(sink(true), {});
  const text = terminal.table([
    [terminal.red('high'), 'a'],
    ['日本', 'b'],
    ['low', ''],
  ]);
  assert.equal(text, '\u001b[31mhigh\u001b[39m  a\n日本  b\nlow\n');
  assert.equal(terminal.table([]), '');
  assert.equal(terminal.table([['ab', 'x']], { indent: '> ' }), '> ab  x\n');
});

test('escapeControl leaves no character that a terminal obeys or hides', () => {
  assert.equal(escapeControl('a\u001b[2J\nb\t\u009b1m'), 'a\\u{1b}[2J\\nb\\t\\u{9b}1m');
  assert.equal(escapeControl('\u202egnp\u200b\u{e0041}\u{fe0f}'), '\\u{202e}gnp\\u{200b}\\u{e0041}\\u{fe0f}');
  assert.equal(escapeControl('Grüße, 日本 🙂'), 'Grüße, 日本 🙂');
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      (text) => !/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(escapeControl(text)),
    ),
  );
});

test('jsonLine is JSON that parses back and hides nothing', () => {
  assert.equal(
    jsonLine({ n: 12345678901234567890n, t: '\u009b\u202e\u{e0041}' }),
    '{"n":"12345678901234567890","t":"\\u009b\\u202e\\udb40\\udc41"}\n',
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const line = jsonLine({ text });
      assert.deepEqual(JSON.parse(line), { text });
      assert.ok(!/[\p{Cf}\u{7f}-\u{9f}]/u.test(line));
    }),
  );
});

test('truncate and displayWidth', () => {
  assert.equal(truncate('abcd', 4), 'abcd');
  assert.equal(truncate('abcde', 4), 'abc…');
  assert.equal(displayWidth('\u001b[1mab\u001b[22m'), 2);
  assert.equal(displayWidth('é'), 1);
});
