import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import type { Value } from '../../model/value.ts';
import { type CanonicalView, canonicalView } from './testing/canonical-view.ts';
import { captures, type Picked } from './testing/captures.ts';
import { type Received, receiveJson } from './testing/sent-span.ts';
import { type StoryName, stories } from './testing/story.ts';

const folder = join(import.meta.dirname, '../../../../test/fixtures/traces');

for (const [emitter, told] of Object.entries(captures)) {
  for (const story of Object.keys(stories) as StoryName[]) {
    test(`${emitter}, as it was captured, tells ${story}`, () => {
      const received = receiveJson(readFileSync(join(folder, emitter, `${story}.json`)));
      const picked = told[story];
      assert.equal(picked.length, stories[story].length, 'one pick per span of the story');
      picked.forEach((pick, i) => {
        if (pick.unsent) return;
        const span = find(received, pick);
        assert.deepEqual(masked(canonicalView(received, span)), expected(stories[story][i]!, pick), pick.span);
        const dialects = received.value(span, 'spanwarden.dialect');
        if (told.dialect !== undefined)
          assert.ok((dialects as readonly Value[]).includes(told.dialect), String(dialects));
      });
      const { failedReadings, droppedKeys } = received.events.faults;
      assert.deepEqual({ failedReadings, droppedKeys }, { failedReadings: 0, droppedKeys: 0 });
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

/** Spans stand in the order in which they began. */
function find(received: Received, { span, nth = 0 }: Picked): number {
  const found: number[] = [];
  for (let i = 0; i < received.events.batch.spanCount; i++) {
    if (received.value(i, 'span.name') === span) found.push(i);
  }
  const at = found[nth];
  assert.ok(at !== undefined, `no span ${span} (${nth})`);
  return at;
}

function expected(view: CanonicalView, { lacks = [], instead = {} }: Picked): CanonicalView {
  return Object.fromEntries(Object.entries({ ...view, ...instead }).filter(([name]) => !lacks.includes(name)));
}

/** That hashes of tool definitions are equal is another test's. */
function masked(view: CanonicalView): CanonicalView {
  const hashes = view['spanwarden.tool.definition_hashes'];
  if (hashes === undefined) return view;
  const names = (hashes as readonly Value[]).map((each) => String(each).replace(/ [0-9a-f]{16}$/, ' <hash>'));
  return { ...view, 'spanwarden.tool.definition_hashes': names };
}
