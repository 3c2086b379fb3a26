import { getDomain } from 'tldts';
import { hostClass, isIpv4 } from './addresses.ts';

/** URLs found in text, at most `max`; trailing punctuation of a sentence is not part of one. */
export function findUrls(text: string, max = 64): string[] {
  if (!text.includes('://')) return [];
  const urls: string[] = [];
  for (const match of text.matchAll(urlPattern)) {
    urls.push(match[0].replace(/[.,;:!?)\]}'"]{1,8}$/, ''));
    if (urls.length >= max) break;
  }
  return urls;
}

// The schemes that carry data out; the character class has no overlap with what follows, so matching is linear.
const urlPattern = /\b(?:https?|wss?|ftp|sftp|s3|gs|file):\/\/[^\s"'<>`\\^{|}]{1,2048}/gi;

/**
 * The host of a URL as the WHATWG parser sees it: lower case, IDNA in ASCII, hexadecimal and octal IPv4 notations made
 * canonical. Undefined when it is no URL.
 */
export function urlHost(url: string): string | undefined {
  try {
    return new URL(url).hostname.replace(/^\[|\]$/g, '') || undefined;
  } catch {
    return undefined;
  }
}

/** A bare host name or address, as found in an argument called `host` or `domain`; undefined when it is neither. */
export function bareHost(text: string): string | undefined {
  if (text.length > 253 || !/^[a-z0-9._\-[\]:]+$/i.test(text) || !/[.:]/.test(text)) return undefined;
  return urlHost(`http://${text}`);
}

/** Registrable domain by the Public Suffix List; the address itself for an IP; the name itself when it has no dot. */
export function registrableDomain(host: string): string {
  if (isIp(host)) return host;
  return getDomain(host) ?? host;
}

export function isIp(host: string): boolean {
  return isIpv4(host) || host.includes(':');
}

/** Whether a host lies outside the machine and the local network: a place data can leave to. */
export function isExternalHost(host: string): boolean {
  return hostClass(host) === 'external';
}

/** E-mail addresses in text, lower case, at most `max`. */
export function findEmails(text: string, max = 64): string[] {
  return emailPlaces(text, max).map(({ start, end }) => text.slice(start, end).toLowerCase());
}

/** Where they stand. What stands in front of the host of a URL, often a password, is none, nor is `git@github.com:org/repo`. */
export function emailPlaces(text: string, max = 64): { readonly start: number; readonly end: number }[] {
  const places: { start: number; end: number }[] = [];
  for (const place of addressPlaces(text)) {
    if (isUserinfo(text, place.start, place.end)) continue;
    places.push(place);
    if (places.length >= max) break;
  }
  return places;
}

/** Everything that looks like an e-mail address. */
export function* addressPlaces(text: string): Generator<{ readonly start: number; readonly end: number }> {
  if (!text.includes('@')) return;
  const pattern = /[^\0-\x7f]/.test(text) ? internationalPattern : emailPattern;
  for (const match of text.matchAll(pattern)) yield { start: match.index, end: match.index + match[0].length };
}

function isUserinfo(text: string, start: number, end: number): boolean {
  return (
    /:\/\/[^\s/@"'<>]{0,128}$/.test(text.slice(Math.max(0, start - 131), start)) ||
    (text[end] === ':' && /^git@/i.test(text.slice(start, end)) && /^[\w~./-]/.test(text.slice(end + 1, end + 2)))
  );
}

const emailPattern = /(?<![a-z0-9._%+-])[a-z0-9._%+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}/gi;
/** The same with letters of any script, one in each label: words around an address have others, where no space is written. */
const internationalPattern =
  /(?<![\p{Script=Latin}0-9._%+-])(?:[\p{Script=Latin}0-9._%+-]{1,64}|[\p{Script=Cyrillic}\p{Script=Greek}0-9._%+-]{1,64})@(?:[\p{Script=Latin}0-9-]{1,63}|[\p{L}\p{M}0-9-]{1,63})(?:\.(?:[\p{Script=Latin}0-9-]{1,63}|[\p{L}\p{M}0-9-]{1,63})){1,8}/giu;

/** Images a client would fetch by itself: markdown and HTML. */
export function imageUrls(text: string): string[] {
  const found: string[] = [];
  if (text.includes('![')) for (const match of text.matchAll(markdownImage)) found.push(match[1]!);
  if (text.includes('<')) for (const match of text.matchAll(htmlImage)) found.push(match[1]!);
  return found.slice(0, 64);
}

const markdownImage = /!\[[^\]\n]{0,512}\]\(\s?<?(https?:\/\/[^\s)>]{1,2048})/gi;
const htmlImage = /<img\s[^>]{0,1024}?src\s?=\s?["']?(https?:\/\/[^\s"'>]{1,2048})/gi;
