import { entropy } from './checksums.ts';
import { isIp, registrableDomain } from './network.ts';

/**
 * Whether the labels of a host look like data on its way out by DNS: what stands before the registrable domain is long and not
 * made of words, or a shell puts it in (`$(id).x.example`).
 *
 * Generated names of clouds and content networks have one such label of up to 40 characters, so that only more counts.
 */
export function carriesData(host: string): boolean {
  if (isIp(host) || host.length > 253) return false;
  const domain = registrableDomain(host);
  if (domain.length >= host.length) return false;
  const labels = host.slice(0, -domain.length - 1).split('.');
  const coded = labels.filter(isCoded);
  const chars = coded.reduce((sum, label) => sum + label.length, 0);
  return coded.some((label) => label.length >= 45) || (coded.length >= 2 && chars >= 48);
}

/** Letters and digits as base32, base64 or hex mix them; words joined by dashes and counted names do not. */
function isCoded(label: string): boolean {
  if (label.length < 14 || label.startsWith('xn--')) return false;
  const pieces = label.split(/[-_]/);
  const longest = Math.max(...pieces.map((piece) => piece.length));
  if (longest < 12) return false;
  const text = pieces.join('');
  const isHex = /^[0-9a-f]+$/.test(text);
  if (isHex) return entropy(text) >= 2.5;
  const digits = text.match(/\d/g)?.length ?? 0;
  const vowels = text.match(/[aeiou]/g)?.length ?? 0;
  return entropy(text) >= 3.3 && (digits >= 2 || vowels / text.length < 0.2);
}
