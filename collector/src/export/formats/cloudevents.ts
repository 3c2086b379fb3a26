import type { Format } from '../contract.ts';
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
        specversion: '1.0',
        // Attributes may hold no control characters.
        id: visible(event.id),
        // A URI reference, which may not be empty.
        source: `/spanwarden/${encodeURIComponent(context.host.toWellFormed())}`,
        type: `spanwarden.${event.kind}.${event.activity}`,
        subject: visible(event.kind === 'finding' ? event.finding.id : event.case.id) || undefined,
        time: isoOfMillis(event.takenMs),
        datacontenttype: 'application/json',
        data: plainEvent(event, context, isCut),
      }),
    ),
  };
}
