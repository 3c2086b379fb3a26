import type { Format } from '../contract.ts';
import { type Facts, factsOf } from './facts.ts';
import { fitted } from './fit.ts';
import { extraPairs, type Pair, pairsOf, techniqueIds } from './pairs.ts';
import { visible } from './text.ts';
import { isoOfMillis } from './times.ts';

/**
 * Between attributes. Not a tab, LEEF's own default: syslog relays rewrite tabs, and then all attributes are one.
 * https://www.ibm.com/docs/en/dsm?topic=leef-event-components
 */
export const leefDelimiter = '^';

/**
 * IBM's Log Event Extended Format 2.0: `LEEF:2.0|vendor|product|version|event id|delimiter|key=value…`. The event id is the rule's id, and
 * `case` for cases. LEEF has no escapes: what would end a field is written as its code point, `<U+005E>`. It goes into the MSG of
 * a syslog frame, which is the destination's; QRadar takes 4096 bytes unless told otherwise.
 */
export function leef(): Format {
  return {
    contentType: 'text/plain; charset=utf-8',
    encode: fitted((event, context, isCut) => leefLine(factsOf(event, context, isCut))),
  };
}

/** How `devTime` is written, in the words of Java's SimpleDateFormat. */
export const leefTimeFormat = 'MMM dd yyyy HH:mm:ss.SSS z';

/** The attributes, in the order in which they are written: IBM's own keys first. */
export const leefPairs: readonly Pair[] = [
  { key: 'devTime', says: 'when the collector took it in', of: ({ takenMs }) => devTime(takenMs) },
  { key: 'devTimeFormat', says: 'how `devTime` is written', of: () => leefTimeFormat },
  { key: 'cat', says: '`finding` or `case`', of: ({ kind }) => kind },
  { key: 'sev', says: 'severity, 1 to 10', of: ({ severity }) => severity.cef },
  { key: 'usrName', says: 'user', of: ({ user }) => user },
  { key: 'resource', says: 'tool', of: ({ tool }) => tool },
  { key: 'activity', says: '`create`, `update` or `close`', of: ({ activity }) => activity },
  { key: 'eventId', says: 'id of the event', of: ({ eventId }) => eventId },
  { key: 'objectId', says: 'id of the finding or the case', of: ({ id }) => id },
  { key: 'caseId', says: 'case', of: ({ caseId }) => caseId },
  { key: 'sample', says: '`true` for a sample', of: ({ isSample }) => (isSample ? 'true' : '') },
  { key: 'title', says: 'title of the rule, headline of the case', of: ({ title }) => title },
  { key: 'msg', says: 'what happened', of: ({ message }) => message },
  { key: 'agent', says: 'agent', of: ({ agent }) => agent },
  { key: 'service', says: 'service', of: ({ service }) => service },
  { key: 'session', says: 'session', of: ({ session }) => session },
  { key: 'traceId', says: 'trace', of: ({ traceId }) => traceId },
  { key: 'spanId', says: 'span', of: ({ spanId }) => spanId },
  { key: 'rule', says: 'title of the rule that counts most', of: ({ ruleTitle }) => ruleTitle },
  { key: 'techniques', says: 'techniques of ATT&CK and ATLAS', of: (facts) => techniqueIds(facts).join(' ') },
  { key: 'findings', says: 'different findings', of: ({ findings }) => findings },
  { key: 'count', says: 'how often it was seen', of: ({ count }) => count },
  { key: 'evidence', says: 'the evidence', of: ({ evidence }) => evidence.join('; ') },
  { key: 'link', says: 'where people can look at it', of: ({ link }) => link },
  { key: 'collector', says: 'the collector', of: ({ host }) => host },
];

const ownKeys = new Set(leefPairs.map(({ key }) => key));

function leefLine(facts: Facts): string {
  const { vendor, name, version } = facts.product;
  const eventId = facts.kind === 'case' ? 'case' : facts.ruleId;
  const pairs = [
    ...pairsOf(leefPairs, facts).map(({ pair, value }): [string, string] => [pair.key, value]),
    ...extraPairs(facts, ownKeys),
  ];
  const attributes = pairs.map(([key, value]) => `${key}=${visible(value, /\^/g)}`);
  const header = ['LEEF:2.0', ...[vendor, name, version, eventId].map((text) => visible(text, /[|^]/g)), leefDelimiter];
  return `${header.join('|')}|${attributes.join(leefDelimiter)}`;
}

/** `Nov 28 2026 10:02:20.250 UTC`. */
function devTime(millis: number): string {
  const [year, month, day, time] = isoOfMillis(millis).split(/[-TZ]/);
  return `${months[Number(month) - 1]} ${day} ${year} ${time} UTC`;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;
