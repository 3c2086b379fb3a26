import assert from 'node:assert/strict';
import test from 'node:test';
import type { Value } from '../../model/value.ts';
import { type CanonicalView, canonicalView } from './testing/canonical-view.ts';
import { receive } from './testing/sent-span.ts';
import { type StoryName, stories, type ToldSpan } from './testing/story.ts';
import { tellings } from './testing/tellings.ts';

for (const telling of tellings) {
  for (const story of Object.keys(stories) as StoryName[]) {
    test(`${telling.dialect} tells ${story}`, () => {
      const told = telling[story];
      const expected = stories[story];
      assert.equal(told.length, expected.length, 'one telling per span of the story');
      const sent = told.filter(({ unsent }) => unsent === undefined);
      const received = receive(sent);
      const views = sent.map((_, span) => masked(canonicalView(received, span)));
      assert.deepEqual(
        views,
        told.flatMap((span, i) => (span.unsent ? [] : [expectedOf(expected[i]!, span)])),
      );
      assert.deepEqual(received.events.faults, { malformedValues: 0, failedReadings: 0, droppedKeys: 0 });
    });
  }
}

function expectedOf(view: CanonicalView, { lacks = [], instead = {} }: ToldSpan): CanonicalView {
  return Object.fromEntries(Object.entries({ ...view, ...instead }).filter(([name]) => !lacks.includes(name)));
}

/** Hashes of tool definitions become `<hash>`; that they are equal is another test's. */
function masked(view: CanonicalView): CanonicalView {
  const hashes = view['spanwarden.tool.definition_hashes'];
  if (hashes === undefined) return view;
  const names = (hashes as readonly Value[]).map((each) => String(each).replace(/ [0-9a-f]{16}$/, ' <hash>'));
  return { ...view, 'spanwarden.tool.definition_hashes': names };
}
