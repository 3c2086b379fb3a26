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

test('a wrong checksum is said', () => {
  assert.match(contentPlaces([['output', [`ghp_${'aB3dE6gH9'.repeat(4)}`]]])[0]!, / checksum:bad$/);
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
