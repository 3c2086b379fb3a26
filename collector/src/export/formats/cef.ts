import type { Format } from '../contract.ts';
import { type Facts, factsOf } from './facts.ts';
import { fitted } from './fit.ts';
import { extraPairs, type Pair, pairsOf, techniqueIds } from './pairs.ts';
import { cutBytes, visible } from './text.ts';
import { millisOf } from './times.ts';

/**
 * ArcSight Common Event Format, version 0 of the header: `CEF:0|vendor|product|version|class id|name|severity|extension`. The class id
 * is the rule's id, and `case` for cases, so that receivers can map each. Times are milliseconds since the epoch. It goes into the
 * MSG of a syslog frame, which is the destination's.
 */
export function cef(): Format {
  return {
    contentType: 'text/plain; charset=utf-8',
    encode: fitted((event, context, isCut) => cefLine(factsOf(event, context, isCut))),
  };
}

/** The extension's keys, in the order in which they are written. Lengths are those of the dictionary of the CEF guide. */
export const cefPairs: readonly Pair[] = [
  { key: 'rt', says: 'when the collector took it in', of: ({ takenMs }) => takenMs },
  { key: 'start', says: 'first seen', of: ({ firstNanos }) => millisOf(firstNanos) },
  { key: 'end', says: 'last seen', of: ({ lastNanos }) => millisOf(lastNanos) },
  { key: 'cnt', says: 'how often it was seen', of: ({ count }) => count },
  { key: 'cat', says: '`finding` or `case`', of: ({ kind }) => kind },
  { key: 'act', says: '`create`, `update` or `close`', of: ({ activity }) => activity },
  { key: 'externalId', says: 'id of the finding or the case', of: ({ id }) => id },
  { key: 'dvchost', says: 'the collector', bytesMax: 100, of: ({ host }) => host },
  { key: 'suser', says: 'user', bytesMax: 1023, of: ({ user }) => user },
  { key: 'sourceServiceName', says: 'service', bytesMax: 1023, of: ({ service }) => service },
  { key: 'msg', says: 'what happened', bytesMax: 1023, of: ({ message }) => message },
  { key: 'reason', says: 'the evidence', bytesMax: 1023, of: ({ evidence }) => evidence.join('; ') },
  { key: 'cs1', label: 'agent', says: 'agent', bytesMax: 4000, of: ({ agent }) => agent },
  { key: 'cs2', label: 'tool', says: 'tool', bytesMax: 4000, of: ({ tool }) => tool },
  { key: 'cs3', label: 'traceId', says: 'trace', bytesMax: 4000, of: ({ traceId }) => traceId },
  { key: 'cs4', label: 'session', says: 'session', bytesMax: 4000, of: ({ session }) => session },
  {
    key: 'cs5',
    label: 'techniques',
    says: 'techniques of ATT&CK and ATLAS',
    bytesMax: 4000,
    of: (facts) => techniqueIds(facts).join(' '),
  },
  { key: 'cs6', label: 'link', says: 'where people can look at it', bytesMax: 4000, of: ({ link }) => link },
  { key: 'cn1', label: 'findings', says: 'different findings', of: ({ findings }) => findings },
  { key: 'cn2', label: 'isSample', says: '1 for a sample', of: ({ isSample }) => (isSample ? 1 : '') },
  { key: 'flexString1', label: 'caseId', says: 'case', bytesMax: 1023, of: ({ caseId }) => caseId },
  { key: 'flexString2', label: 'eventId', says: 'id of the event', bytesMax: 1023, of: ({ eventId }) => eventId },
  // Keys outside the dictionary begin with the vendor's name.
  { key: 'SpanwardenSpanId', says: 'span', of: ({ spanId }) => spanId },
];

const ownKeys = new Set(cefPairs.flatMap(({ key }) => [key, `${key}Label`]));

function cefLine(facts: Facts): string {
  const { vendor, name, version } = facts.product;
  const classId = facts.kind === 'case' ? 'case' : facts.ruleId;
  const header = [
    vendor,
    name,
    version,
    cutBytes(classId, 1023),
    cutBytes(facts.title, 512),
    String(facts.severity.cef),
  ];
  const own = pairsOf(cefPairs, facts).flatMap(({ pair: { key, label }, value }) => [
    `${key}=${extensionValue(value)}`,
    ...(label === undefined ? [] : [`${key}Label=${label}`]),
  ]);
  const extra = extraPairs(facts, ownKeys).map(([key, value]) => `${key}=${extensionValue(value)}`);
  return ['CEF:0', ...header.map(headerField), [...own, ...extra].join(' ')].join('|');
}

/** A header field escapes `\` and `|`, and has no way to hold a line break. */
function headerField(text: string): string {
  return visible(text).replace(/[\\|]/g, '\\$&');
}

/** A value escapes `\` and `=`, and line breaks as `\n` and `\r`; other controls have no escape. */
function extensionValue(text: string): string {
  const breaks = text.replace(/[\\=]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
  return visible(breaks);
}
