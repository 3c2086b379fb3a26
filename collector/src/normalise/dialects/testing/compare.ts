import assert from 'node:assert/strict';
import type { Value } from '../../../model/value.ts';
import { type CanonicalView, canonicalView } from './canonical-view.ts';
import type { Capture, Picked } from './captures/pick.ts';
import type { Received } from './sent-span.ts';
import { type StoryName, stories } from './story.ts';

/** Asserts that what was received of a captured story is the story, but for what the picks say. */
export function compareStory(received: Received, told: Capture, story: StoryName): void {
  const picked = told[story];
  assert.equal(picked.length, stories[story].length, 'one pick per span of the story');
  picked.forEach((pick, i) => {
    if (pick.unsent) return;
    const span = find(received, pick);
    assert.deepEqual(seen(canonicalView(received, span), pick), expected(stories[story][i]!, pick), pick.span);
    const dialects = received.value(span, 'spanwarden.dialect');
    const dialect = pick.dialect ?? told.dialect;
    if (dialect !== undefined) assert.ok((dialects as readonly Value[]).includes(dialect), String(dialects));
  });
  const { failedReadings, droppedKeys } = received.events.faults;
  assert.deepEqual({ failedReadings, droppedKeys }, { failedReadings: 0, droppedKeys: 0 });
}

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

/** Texts of which only the beginning counts are cut to it. */
function seen(view: CanonicalView, { starts = {} }: Picked): CanonicalView {
  const cut = Object.entries(starts).map(([name, start]) => [
    name,
    (view[name] as readonly Value[]).map((text) => String(text).slice(0, start.length)),
  ]);
  return { ...masked(view), ...Object.fromEntries(cut) };
}

function expected(view: CanonicalView, { lacks = [], instead = {}, starts = {} }: Picked): CanonicalView {
  const begun = Object.fromEntries(Object.entries(starts).map(([name, start]) => [name, [start]]));
  return Object.fromEntries(
    Object.entries({ ...view, ...instead, ...begun }).filter(([name]) => !lacks.includes(name)),
  );
}

/** That hashes of tool definitions are equal is another test's. */
function masked(view: CanonicalView): CanonicalView {
  const hashes = view['spanwarden.tool.definition_hashes'];
  if (hashes === undefined) return view;
  const names = (hashes as readonly Value[]).map((each) => String(each).replace(/ [0-9a-f]{16}$/, ' <hash>'));
  return { ...view, 'spanwarden.tool.definition_hashes': names };
}
