import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rememberedByText } from './text-memory.ts';

test('a text is worked out once, until so many characters came that all is forgotten', () => {
  let worked = 0;
  const lengthOf = rememberedByText((text) => {
    worked++;
    return text.length;
  });
  const texts = Array.from({ length: 10 }, (_, i) => String(i).repeat(60_000));
  assert.equal(lengthOf(texts[0]!), 60_000);
  assert.equal(lengthOf(`${texts[0]}`), 60_000);
  assert.equal(worked, 1);
  for (const text of texts) lengthOf(text);
  assert.equal(worked, 10);
  lengthOf(texts[0]!);
  assert.equal(worked, 11, 'the ninth text went over the bound');
});

test('short and very long texts are not kept', () => {
  let worked = 0;
  const count = rememberedByText(() => ++worked);
  for (const text of ['short', 'x'.repeat(70_000)]) {
    count(text);
    count(text);
  }
  assert.equal(worked, 4);
});
