import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { contentPlaces, encodedPlaces } from './places.ts';

const key = `sk-ant-${'aB3dE6gH9'.repeat(6)}`;
const base64 = (text: string) => Buffer.from(text).toString('base64');

test('secrets and personal data have places, also inside encodings, and are masked', () => {
  const hidden = base64(`the key is ${key} keep it`);
  const text = `x ${hidden} ann@example.com`;
  assert.deepEqual(contentPlaces([['tool_result', ['nothing', text]]]), [
    `pii email tool_result[1] ${3 + hidden.length}-${text.length} - an****om`,
    `secret anthropic_key tool_result[1] 2-${2 + hidden.length} base64 sk****H9`,
  ]);
  assert.deepEqual(encodedPlaces([['tool_result', ['nothing', text]]]), [
    `tool_result[1] 2-${2 + hidden.length} base64`,
  ]);
});

test('whether the checksum is right is said', () => {
  // The published example of the format.
  const token = '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';
  assert.match(contentPlaces([['output', [token]]])[0]!, / checksum:ok$/);
  assert.match(contentPlaces([['output', [token.replace(/7$/, '8')]]])[0]!, / checksum:bad$/);
});

test('so many lines are given and no more, and what stands too far back in a text is not looked for', () => {
  const mails = Array.from({ length: 200 }, (_, i) => `person${i}@example.com`);
  const texts = Array.from({ length: 20 }, (_, part) => mails.slice(part * 10, part * 10 + 10).join(' '));
  const lines = contentPlaces([
    ['output', mails.slice(0, 3)],
    ['arguments', texts],
  ]);
  assert.equal(lines.length, 128);
  assert.match(lines[0]!, /^pii email output\[0\] 0-\d+ - pe\*{4}om$/);
  assert.match(lines.at(-1)!, /^pii email arguments\[12\] /);
  const far = (before: number) => contentPlaces([['output', [`${'. '.repeat(before / 2)}ann@example.com`]]]).length;
  assert.deepEqual([far(65_536 - 15), far(65_536 - 1)], [1, 0]);
});

test('of one text so many values are decoded and no more, each once, and encodings stand in their order', () => {
  const keys = Array.from({ length: 20 }, (_, i) => `sk-ant-${String.fromCharCode(65 + i)}${'aB3dE6gH9'.repeat(6)}`);
  const text = [...keys, ...keys].map((each) => base64(each)).join(' . ');
  assert.equal(contentPlaces([['output', [text]]]).length, 16);
  const plainToo = `ann@example.com . ${base64('write to ann@example.com')}`;
  assert.deepEqual(contentPlaces([['output', [plainToo]]]), ['pii email output[0] 0-15 - an****om']);
  // What is encoded beside it changes where a value seems to begin, and not that it stands there plainly.
  assert.deepEqual(contentPlaces([['output', ['x%20ann@example.com']]]), ['pii email output[0] 0-19 - x%****om']);
  const twice = Buffer.from(base64(key)).toString('hex');
  assert.match(contentPlaces([['output', [twice]]])[0]!, /^secret \w+ output\[0\] 0-\d+ hex>base64 /);
  assert.equal(encodedPlaces([['output', [twice]]]).at(-1), `output[0] 0-${twice.length} hex>base64`);
  const tags = String.fromCodePoint(...[...`mail ann@example.com`].map((char) => 0xe0000 + char.codePointAt(0)!));
  assert.match(contentPlaces([['output', [tags]]])[0]!, /^pii email output\[0\] \d+-\d+ tag_characters an\*{4}om$/);
});

test('no line holds a value, whatever the text', () => {
  const value = fc.constantFrom(key, '4111 1111 1111 1111', 'DE89 3704 0044 0532 0130 00', 'rosalind@example.org');
  const encode = fc.constantFrom(
    (text: string) => text,
    base64,
    (text: string) => Buffer.from(text).toString('hex'),
    encodeURIComponent,
  );
  fc.assert(
    fc.property(value, encode, fc.string(), (secret, coded, around) => {
      for (const line of contentPlaces([['output', [`${around} ${coded(secret)} ${around}`]]])) {
        assert.ok(!line.includes(secret) && !line.includes(coded(secret)), line);
        assert.match(line, /^(?:secret|pii) \w+ output\[0\] \d+-\d+ [\w>-]+ \S*\*{4}\S*(?: checksum:\w+)?$/);
      }
    }),
    { numRuns: 1000 },
  );
});
