import { createHash } from 'node:crypto';
import type { Evidence } from '../../model/finding.ts';
import { limits } from '../../model/limits.ts';

/**
 * Values in evidence that are specific enough to join two sessions, as short hashes: URLs without their query, e-mail
 * addresses, account numbers (IBAN), and the destinations in `…domains` and `…hosts` fields. Nothing generic: no names of
 * the own machine or network, no addresses such as support@, nothing that evidence has masked.
 */
export function specificValues(evidence: readonly Evidence[]): readonly string[] {
  const values = new Set<string>();
  for (const { field, excerpt } of evidence) {
    if (endpointFields.has(field)) continue;
    if (/(?:domains|hosts)$/.test(field) && hostName.test(excerpt)) values.add(`host ${excerpt.toLowerCase()}`);
    for (const [url] of excerpt.matchAll(/https?:\/\/[^\s"'<>()[\]{}\\,]+/gi)) add(values, urlValue(url));
    for (const [address] of excerpt.matchAll(/[\w.+-]{1,64}@[a-z0-9-]+(?:\.[a-z0-9-]+)+/gi)) {
      if (!genericAddress.test(address)) values.add(`mail ${address.toLowerCase()}`);
    }
    for (const [iban] of excerpt.matchAll(/\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b/g)) {
      const plain = iban.replaceAll(' ', '');
      if (plain.length >= 15 && plain.length <= 34) values.add(`iban ${plain}`);
    }
  }
  return [...values]
    .filter((value) => !value.includes('*'))
    .slice(0, limits.caseValuesPerFindingMax)
    .map((value) => createHash('sha256').update(value).digest('hex').slice(0, 24));
}

/** What a span calls by its nature is the same in every session. */
const endpointFields: ReadonlySet<string> = new Set(['url.full', 'server.address', 'mcp.resource.uri']);
const hostName =
  /^(?!.*(?:^|\.)(?:localhost|local|internal|lan|home|test)$)[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z][a-z0-9-]+$/i;
const genericAddress =
  /^(?:no-?reply|do-?not-?reply|support|info|contact|hello|admin|sales|help|service|postmaster|webmaster|office|team)@/i;

function urlValue(text: string): string | undefined {
  const [, host, path] = /^https?:\/\/(?:[^/?#@]*@)?([^/?#:]+)(?::\d+)?([^?#]*)/i.exec(text) ?? [];
  // Of a cut URL nobody knows how it goes on.
  if (host === undefined || !hostName.test(host) || text.includes('…')) return undefined;
  return `url ${host.toLowerCase()}${(path ?? '').replace(/[.;:!/]+$/, '')}`;
}

function add(values: Set<string>, value: string | undefined): void {
  if (value !== undefined) values.add(value);
}
