import type { ExportEvent } from '../../model/export-event.ts';
import type { Format, FormatContext } from '../contract.ts';
import { fitted } from './fit.ts';
import { plainEvent } from './plain-json.ts';
import { jsonText, visible } from './text.ts';
import { isoOfMillis } from './times.ts';

/**
 * CloudEvents 1.0 in structured mode around our plain JSON, https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md.
 * `source` and `id` together name the event, so that receivers can drop repetitions.
 */
export function cloudEvents(): Format {
  return {
    contentType: 'application/cloudevents+json; charset=utf-8',
    encode: fitted((event, context, isCut) =>
      jsonText({
        ...cloudEventAttributes(event, context),
        datacontenttype: 'application/json',
        data: plainEvent(event, context, isCut),
      }),
    ),
  };
}

/** The attributes of an event but for the type of its data, which binary mode has in a header of the protocol. */
export function cloudEventAttributes(event: ExportEvent, { host }: FormatContext): Record<string, string | undefined> {
  return {
    specversion: '1.0',
    // Attributes may hold no control characters.
    id: visible(event.id),
    // A URI reference, which may not be empty.
    source: `/spanwarden/${encodeURIComponent(host.toWellFormed())}`,
    type: `spanwarden.${event.kind}.${event.activity}`,
    subject: visible(event.kind === 'finding' ? event.finding.id : event.case.id) || undefined,
    time: isoOfMillis(event.takenMs),
  };
}
