import { getDomain, parse } from 'tldts';
import { hostClass, isIpv4 } from './addresses.ts';

/** URLs found in text, at most `max`; trailing punctuation of a sentence is not part of one. */
export function findUrls(text: string, max = 64): string[] {
  if (!text.includes('://')) return [];
  const urls: string[] = [];
  for (const match of text.matchAll(urlPattern)) {
    urls.push(withoutEnd(match[0]));
    if (urls.length >= max) break;
  }
  return urls;
}

/** Without the punctuation of a sentence; a bracket that is the end of an address stays. */
function withoutEnd(url: string): string {
  return url.replace(/[.,;:!?)}'"]{1,8}$|(?<!\[[0-9a-f:.%\w]{2,64})\][.,;:!?)\]}'"]{0,7}$/i, '');
}

// The schemes that carry data out; the character class has no overlap with what follows, so matching is linear.
const urlPattern =
  /\b(?:https?|wss?|s?ftps?|tftp|s3a?|gs|abfss?|wasbs?|file|ssh|git|svn|rsync|smb|cifs|nfs|ldaps?|gopher|dict|telnet|tcp|udp|grpcs?|redis|rediss|mongodb(?:\+srv)?|postgres(?:ql)?|mysql|mariadb|sqlserver|mssql|oracle|clickhouse|amqps?|mqtts?|nats|kafka|imaps?|pop3s?|smtps?|ircs?|rtsps?|rtmps?|socks[45]h?):\/\/[^\s"'<>`\\^{|}]{1,2048}/gi;

/**
 * The host of a URL as the WHATWG parser sees it: lower case, IDNA in ASCII, hexadecimal and octal IPv4 notations made
 * canonical. Undefined when it is no URL.
 */
export function urlHost(url: string): string | undefined {
  // Of other schemes the parser leaves hosts as they are written, and it knows no zones of addresses.
  const known = url.replace(/^([a-z][a-z0-9+.-]{0,30}):\/\//i, (scheme) =>
    /^(?:https?|wss?|ftp|file):/i.test(scheme) ? scheme : 'http://',
  );
  return (
    hostOf(known) ??
    (known.includes('%') ? hostOf(known.replace(/(\[[0-9a-f:.]{2,45})%[\w.~-]{1,32}\]/i, '$1]')) : undefined)
  );
}

function hostOf(url: string): string | undefined {
  try {
    return new URL(url).hostname.replace(/^\[|\]$/g, '') || undefined;
  } catch {
    return undefined;
  }
}

/**
 * The hosts of an argument whose name says that a URL is meant, where it is written so that browsers and clients take it for one:
 * `//host/path`, `http:/host`, `http:\\host`, `host.org/path`; and of `http://a\@b` the one that clients of another make see.
 */
export function looseHosts(text: string): string[] {
  const written = text.replace(/[\t\r\n]/g, '').trim();
  if (written.length > 2048) return [];
  const loose = /^(?:(?:https?|wss?|ftp):[\\/]{0,8}|[\\/]{2,8})(?![\\/])(.+)$/is.exec(written)?.[1];
  if (loose !== undefined) {
    const behind = /^[^/?#]*\\[^/?#]*@([^/?#\\]+)/.exec(loose)?.[1];
    const hosts = [urlHost(`http://${loose}`), behind === undefined ? undefined : urlHost(`http://${behind}`)];
    return hosts.filter((host) => host !== undefined);
  }
  const name = /^([a-z0-9.-]{3,253}\.[a-z]{2,63})(?::\d{1,5})?[/?#]/i.exec(written)?.[1];
  return name !== undefined && parse(name).isIcann === true ? [name.toLowerCase()] : [];
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
    if (isNoAddress(text, place.start, place.end)) continue;
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

function isNoAddress(text: string, start: number, end: number): boolean {
  return (
    packageVersion.test(text.slice(start, end)) ||
    /:\/\/[^\s/@"'<>]{0,128}$/.test(text.slice(Math.max(0, start - 131), start)) ||
    (text[end] === ':' && /^git@/i.test(text.slice(start, end)) && /^[\w~./-]/.test(text.slice(end + 1, end + 2)))
  );
}

/** `name@1.2.3` of a package, `icon@2x.png` of an image. */
const packageVersion = /@(?:\d+\.[\d.]*\d(?:-[\w.-]*)?|\dx\.[a-z]{3,4})$/i;
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
