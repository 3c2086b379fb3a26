import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { captures } from './normalise/dialects/testing/captures.ts';
import { compareStory } from './normalise/dialects/testing/compare.ts';
import { receiveJson } from './normalise/dialects/testing/sent-span.ts';
import { type StoryName, stories } from './normalise/dialects/testing/story.ts';
import { joinedSpans } from './testing/joined-spans.ts';

const folder = join(import.meta.dirname, '../../test/fixtures/traces');

for (const [emitter, told] of Object.entries(captures).filter(([, { joined }]) => joined)) {
  for (const story of Object.keys(stories) as StoryName[]) {
    test(`${emitter}, spans and log records as they were captured, tells ${story}`, () => {
      const read = (ending: string) => readFileSync(join(folder, emitter, `${story}${ending}`));
      compareStory(receiveJson(joinedSpans(read('.json'), read('.logs.json'))), told, story);
    });
  }
}
