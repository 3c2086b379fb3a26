import { limits } from '../../model/limits.ts';

/** What may be shown of a text that a receiver, or the network, gave: see `shower`. */
export type Show = (text: string) => string;

/** Longer texts are looked at no further: what is shown is much shorter. */
const readCharsMax = 16_384;
/** Shorter secrets would be cut out of every other word. */
const secretCharsMin = 4;

/**
 * Makes texts from outside fit to be shown to people and logged: one line, nothing that acts on a terminal or turns text around, at
 * most `limits.exportReasonCharsMax` characters, and none of the secrets, in whatever of the usual forms they stand there.
 */
export function shower(secrets: Iterable<string>): Show {
  const forms = [...secrets]
    .flatMap(secretForms)
    .filter((form) => form.length >= secretCharsMin)
    .sort((a, b) => b.length - a.length);
  return (text) => {
    let shown = text.slice(0, readCharsMax);
    for (const form of forms) shown = shown.replaceAll(form, '[REDACTED]');
    shown = shown
      .replace(/\bhttps?:\/\/[^\s"'<>]{1,2048}/gi, cutUrl)
      .replace(/\b(bearer|basic|splunk|apikey|geniekey)[ ]+[\w.~+/=-]{8,}/gi, '$1 [REDACTED]')
      .replace(/\s+/g, ' ')
      .trim()
      .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
    return shown.length <= limits.exportReasonCharsMax ? shown : cut(shown);
  };
}

/** Scheme, host and path of an address: what may hold a token (user, password, query, fragment) is left out. */
export function cutUrl(url: string): string {
  return url.replace(/[?#].*$/s, '').replace(/^(https?:\/\/)[^/]*@/i, '$1');
}

function secretForms(secret: string): string[] {
  const inJson = JSON.stringify(secret).slice(1, -1);
  return [...new Set([secret, inJson, inJson.replaceAll('/', '\\/'), encodeURIComponent(secret)])];
}

function cut(text: string): string {
  // Not between the halves of a character outside of the basic plane.
  return `${text.slice(0, limits.exportReasonCharsMax - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
