import type { ExportEvent } from '../../model/export-event.ts';
import type { Format, FormatContext } from '../contract.ts';
import { cutBytes } from './text.ts';

/** Bytes below which no format promises to stay: what is left when all texts are gone is ids, names of fields and numbers. */
export const bodyBytesLeast = 4096;

/** What a format writes of an event, whatever its length. */
export type Write = (event: ExportEvent, context: FormatContext, isCut: boolean) => string;

/**
 * A format's `encode`: what `write` makes of the event, or, where that has more than `bytesMax` bytes, of the event with its texts
 * and lists cut shorter and shorter until it fits. The longest texts lose first, because all are cut to the same length; ids and
 * numbers stay whole. Holds for any `bytesMax` of at least `bodyBytesLeast`.
 */
export function fitted(write: Write): Format['encode'] {
  return (event, context) => {
    const { bytesMax } = context;
    // What is too long before anything is escaped need not be written to be known as too long.
    if (textLength([event, context.extraFields(event), context.link(event)]) <= bytesMax) {
      const body = write(event, context, false);
      if (fits(body, bytesMax)) return body;
    }
    let body = '';
    for (const step of steps) {
      const short = shorten(event, step) as ExportEvent;
      const around = shortContext(context, step);
      const isLast = step === steps.at(-1);
      if (!isLast && textLength([short, around.extraFields(short)]) > bytesMax) continue;
      body = write(short, around, true);
      if (fits(body, bytesMax)) break;
    }
    return body;
  };
}

function fits(body: string, bytesMax: number): boolean {
  return body.length <= bytesMax && Buffer.byteLength(body) <= bytesMax;
}

/** UTF-16 units of all texts in a value. */
function textLength(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce((sum: number, member) => sum + textLength(member), 0);
}

interface Step {
  readonly textBytesMax: number;
  readonly itemsMax: number;
}

const steps: readonly Step[] = [
  { textBytesMax: 16_384, itemsMax: 256 },
  { textBytesMax: 4096, itemsMax: 64 },
  { textBytesMax: 1024, itemsMax: 32 },
  { textBytesMax: 256, itemsMax: 16 },
  { textBytesMax: 128, itemsMax: 8 },
  { textBytesMax: 64, itemsMax: 4 },
  { textBytesMax: 32, itemsMax: 2 },
  { textBytesMax: 16, itemsMax: 1 },
  { textBytesMax: 0, itemsMax: 0 },
];

/** Ids, which receivers compare: what is left of one that was cut would be the id of something else. */
const uncut = /^(id|caseId|findingId|traceId|spanId|kind|activity|level)$/;
const idBytesMax = 80;

function shorten(value: unknown, step: Step, key = ''): unknown {
  if (typeof value === 'string') {
    return cutBytes(value, uncut.test(key) ? Math.max(idBytesMax, step.textBytesMax) : step.textBytesMax);
  }
  if (Array.isArray(value)) return value.slice(0, step.itemsMax).map((item) => shorten(item, step));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, shorten(member, step, name)]));
}

/** A link that was cut leads nowhere: it is left out. The last step leaves the fields of the user out. */
function shortContext(context: FormatContext, step: Step): FormatContext {
  const short = (text: string): string => cutBytes(text, step.textBytesMax);
  return {
    ...context,
    host: cutBytes(context.host, Math.max(64, step.textBytesMax)),
    extraFields: (event) =>
      Object.fromEntries(
        Object.entries(context.extraFields(event))
          .slice(0, step.itemsMax)
          .map(([name, value]) => [name, short(value)]),
      ),
    link: (event) => {
      const link = context.link(event);
      return Buffer.byteLength(link) <= step.textBytesMax ? link : '';
    },
  };
}
