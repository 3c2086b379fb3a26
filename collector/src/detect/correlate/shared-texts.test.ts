import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharedTexts } from './shared-texts.ts';

test('a shared text is the text that was asked for, and few are remembered', () => {
  const texts = new SharedTexts();
  for (let each = 0; each < 20_000; each++) {
    const text = `name-${each % 9000}`;
    assert.equal(texts.of(text), text);
    assert.ok(texts.size <= 4096);
  }
  const [{ size }, long] = [texts, 'x'.repeat(129)];
  assert.equal(texts.of(long), long);
  assert.equal(texts.of('name-1'), 'name-1');
  assert.equal(texts.of('name-1'), 'name-1');
  assert.ok(texts.size <= size + 1, 'equal texts take one place, long ones none');
});
