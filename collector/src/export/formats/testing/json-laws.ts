import assert from 'node:assert/strict';
import type { ExportEvent } from '../../../model/export-event.ts';
import type { Format, FormatContext } from '../../contract.ts';
import { visible } from '../text.ts';
import { caseEvent, context, decidedEvent, findingEvent } from './events.ts';
import { assertHarmless } from './laws.ts';

/**
 * Of a format in JSON, also: whatever the texts hold, there are no members but those that harmless texts give, and every text that the
 * format tells comes back as it was, lone surrogates as U+FFFD. Which texts it tells is seen with an event whose texts are all
 * different.
 */
export function assertHarmlessJson(format: Format, check: (read: unknown) => void = () => undefined): void {
  const marked = [findingEvent, caseEvent, decidedEvent].map(mark);
  const around: FormatContext = { ...context, extraFields: () => ({ team: 'x', 'a.b': 'y' }), link: () => 'z' };
  const variants = marked.flatMap(({ event }) =>
    (['create', 'update', 'close'] as const).flatMap((activity) =>
      [true, false].map((isSample) => JSON.parse(format.encode({ ...event, activity, isSample }, around))),
    ),
  );
  const members = new Set(variants.flatMap((variant) => membersOf(variant)));
  const told = marked.map(({ event, places }) => {
    const texts = textsOf(JSON.parse(format.encode(event, around)));
    const times = [...places].map(([place, marker]): [string, number] => [place, timesIn(texts, marker)]);
    return [kindOf(event), new Map(times.filter(([, count]) => count > 0))] as const;
  });
  for (const [, places] of told) assert.ok(places.size > 10, 'the format tells of next to nothing');
  assertHarmless(format, (body, event, { host, link }) => {
    const read = JSON.parse(body);
    assert.deepEqual(
      membersOf(read).filter((member) => !members.has(member)),
      [],
    );
    const texts = textsOf(read);
    const places = placesOf(event);
    const wanted = [...(new Map(told).get(kindOf(event)) ?? [])];
    // Where a text or an item of a list is missing another may stand in its place, or members that hold both are fewer.
    const isWhole = wanted.every(([place]) => (places.get(place) ?? '') !== '');
    for (const [place, count] of wanted) {
      const text = places.get(place)?.toWellFormed() ?? '';
      assert.ok(text === '' || timesIn(texts, text) >= (isWhole ? count : 1), `${place}: ${JSON.stringify(text)}`);
    }
    assert.ok(timesIn(texts, link(event).toWellFormed()) > 0);
    assert.ok(
      texts.includes(host.toWellFormed()) ||
        texts.includes(`/spanwarden/${encodeURIComponent(host.toWellFormed())}`) ||
        host === '',
    );
    check(read);
  });
}

/** Events of one kind have the same texts. */
function kindOf(event: ExportEvent): string {
  return event.kind === 'case' && event.case.decision !== undefined ? 'decision' : event.kind;
}

/** The event with a marker of its own in place of every text, and where they stand. */
function mark<Event extends ExportEvent>(event: Event): { event: Event; places: Map<string, string> } {
  let number = 0;
  const replace = (value: unknown, key = ''): unknown => {
    if (typeof value === 'string') {
      if (/^(kind|activity|level|action)$/.test(key)) return value;
      number += 1;
      return `m${number}m`;
    }
    if (Array.isArray(value)) return key === 'tags' ? value : value.map((item) => replace(item));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, replace(member, name)]));
  };
  const marked = replace(event) as Event;
  return { event: marked, places: placesOf(marked) };
}

/** What hostile events leave as it is. */
const isConstant = /(kind|activity|level|action|\btags\.\d+)$/;

/** Every text of an event by its place, `finding.evidence.0.excerpt`. */
function placesOf(value: unknown, place = ''): Map<string, string> {
  if (typeof value === 'string') return isConstant.test(place) ? new Map() : new Map([[place, value]]);
  if (typeof value !== 'object' || value === null) return new Map();
  return new Map(Object.entries(value).flatMap(([name, member]) => [...placesOf(member, `${place}.${name}`)]));
}

/** The names of all members, each with its way from the root; items of a list have none. */
function membersOf(value: unknown, way = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => membersOf(item, `${way}[]`));
  if (typeof value !== 'object' || value === null) return [way];
  return Object.entries(value).flatMap(([name, member]) => [`${way}.${name}`, ...membersOf(member, `${way}.${name}`)]);
}

function timesIn(texts: readonly string[], text: string): number {
  return texts.filter((known) => known.includes(text) || known === visible(text)).length;
}

function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [];
}
