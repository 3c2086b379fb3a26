import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { captures } from './testing/captures.ts';
import { compareStory } from './testing/compare.ts';
import { receiveJson } from './testing/sent-span.ts';
import { type StoryName, stories } from './testing/story.ts';

const folder = join(import.meta.dirname, '../../../../test/fixtures/traces');

for (const [emitter, told] of Object.entries(captures).filter(([, { joined }]) => !joined)) {
  for (const story of Object.keys(stories) as StoryName[]) {
    test(`${emitter}, as it was captured, tells ${story}`, () => {
      const received = receiveJson(readFileSync(join(folder, emitter, `${story}.json`)));
      compareStory(received, told, story);
    });
  }
}

test('every captured emitter is looked at', () => {
  const others = new Set(['demo', 'regenerate']);
  const folders = readdirSync(folder, { withFileTypes: true }).filter(
    (each) => each.isDirectory() && !others.has(each.name),
  );
  assert.deepEqual(
    folders.map(({ name }) => name).filter((name) => !(name in captures)),
    [],
  );
});
