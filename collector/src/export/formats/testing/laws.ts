import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ExportEvent } from '../../../model/export-event.ts';
import type { Format, FormatContext } from '../../contract.ts';
import { bodyBytesLeast } from '../fit.ts';
import { caseEvent, context, findingEvent } from './events.ts';
import { hostileEvent } from './hostile.ts';

// What holds of every format. Each format's test calls these with its own way of reading back.

/**
 * Whatever the texts of an event hold, the body is one line of valid UTF-8 that a terminal does not obey, the same every time, and
 * `check` finds what it reads back from it right.
 */
export function assertHarmless(
  format: Format,
  check: (body: string, event: ExportEvent, context: FormatContext) => void,
  numRuns = 300,
): void {
  const property = fc.property(hostileEvent, ({ event, context }) => {
    const body = format.encode(event, context);
    assert.doesNotMatch(body, /\p{Cc}|\u2028|\u2029|[\u202a-\u202e\u2066-\u2069]/u);
    assert.ok(body.isWellFormed());
    assert.equal(format.encode(event, context), body);
    check(body, event, context);
  });
  fc.assert(property, { numRuns });
}

/** However long the texts and lists are, the body keeps to `bytesMax`, is still of the format, and names the same finding or case. */
export function assertFits(format: Format, idOf: (body: string) => unknown): void {
  for (const text of ['x', 'ä', '\u{1f9d1}', '\u001b', '\ud800', '|', '"', '\u2028', '^']) {
    for (const bytesMax of [bodyBytesLeast, 32_768]) {
      for (const event of [longEvent(findingEvent, text), longEvent(caseEvent, text)]) {
        const long = text.repeat(20_000);
        const extraFields = () => Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`field${at}`, long]));
        const body = format.encode(event, { ...context, bytesMax, extraFields, link: () => long });
        const bytes = Buffer.byteLength(body);
        assert.ok(bytes <= bytesMax, `${bytes} bytes of ${bytesMax} with ${JSON.stringify(text)}`);
        assert.equal(idOf(body), event.kind === 'finding' ? event.finding.id : event.case.id);
      }
    }
  }
}

function longEvent<Event extends ExportEvent>(event: Event, text: string): Event {
  return lengthen(event, text) as Event;
}

const kept = /^(id|caseId|findingId|traceId|spanId|kind|activity|level|source|orderKey)$/;

function lengthen(value: unknown, text: string, key = ''): unknown {
  if (typeof value === 'string') return kept.test(key) ? value : text.repeat(5000);
  if (Array.isArray(value)) {
    return value.length === 0 ? value : Array.from({ length: 64 }, (_, at) => lengthen(value[at % value.length], text));
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, lengthen(member, text, name)]));
}
