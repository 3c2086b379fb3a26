/**
 * What kind of place a host is. `metadata` is where cloud machines hand out their credentials; `external` is everything that
 * no special range and no local name claims.
 */
export type HostClass =
  | 'external'
  | 'metadata'
  | 'loopback'
  | 'private'
  | 'link_local'
  | 'carrier_nat'
  | 'multicast'
  | 'unspecified'
  | 'reserved'
  | 'internal_name';

/**
 * The class of a host as `urlHost` gives it: canonical IPv4, IPv6 without brackets, or a lower-case name.
 *
 * IPv6 addresses that carry an IPv4 address (mapped, compatible, NAT64, 6to4, ISATAP) are what the address inside is: a
 * gateway takes the connection there. Ranges: https://www.iana.org/assignments/iana-ipv4-special-registry and its IPv6 twin.
 */
export function hostClass(host: string): HostClass {
  if (metadataHosts.has(host)) return 'metadata';
  const v4 = ipv4Number(host);
  if (v4 !== undefined) return ipv4Class(v4);
  if (host.includes(':')) return ipv6Class(host);
  const name = host.endsWith('.') ? host.slice(0, -1) : host;
  if (metadataHosts.has(name)) return 'metadata';
  if (name === 'localhost' || name.endsWith('.localhost') || loopbackNames.test(name)) return 'loopback';
  if (!name.includes('.') || localSuffixes.some((suffix) => name.endsWith(suffix))) return 'internal_name';
  return wildcardAddress(name) ?? 'external';
}

export function isIpv4(host: string): boolean {
  return ipv4Number(host) !== undefined;
}

/** Whether an address is written so that people and string rules do not recognise it: `0x7f.1`, `2130706433`, `0177.0.0.1`. */
export function isOddAddress(written: string, canonical: string): boolean {
  if (isIpv4(canonical)) return written !== canonical && !written.endsWith('.') && !written.includes('[');
  return canonical.includes(':') && embeddedIpv4(ipv6Groups(canonical) ?? []) !== undefined;
}

/** Cloud credentials are served on these: AWS, ECS and EKS, Azure, Google, Alibaba, Oracle, Tencent, OpenStack. */
const metadataHosts = new Set([
  '169.254.169.254',
  '169.254.170.2',
  '169.254.170.23',
  '169.254.0.23',
  '168.63.129.16',
  '100.100.100.200',
  '192.0.0.192',
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd20:ce::254',
  'metadata',
  'metadata.google.internal',
  'metadata.goog',
  'instance-data',
  'instance-data.ec2.internal',
  'metadata.azure.internal',
  'metadata.tencentyun.com',
  'metadata.oraclecloud.com',
]);

const localSuffixes = ['.local', '.internal', '.lan', '.home.arpa', '.intranet', '.corp', '.svc', '.localdomain'];
const loopbackNames =
  /^(?:ip6-localhost|ip6-loopback|localhost\.localdomain|localtest\.me|(?:[\w-]{1,63}\.){1,5}localtest\.me|lvh\.me)$/;

/** Names that public resolvers answer with the address in them: `127.0.0.1.nip.io`, `10-0-0-1.sslip.io`. */
function wildcardAddress(name: string): HostClass | undefined {
  const match = /(?:^|[.-])(\d{1,3})[.-](\d{1,3})[.-](\d{1,3})[.-](\d{1,3})\.(?:nip\.io|sslip\.io|xip\.io)$/.exec(name);
  const inside = match === null ? undefined : match.slice(1, 5).join('.');
  return inside === undefined || !isIpv4(inside) ? undefined : hostClass(inside);
}

function ipv4Number(host: string): number | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(host);
  if (match === null) return undefined;
  let value = 0;
  for (let part = 1; part <= 4; part++) {
    const byte = Number(match[part]);
    if (byte > 255) return undefined;
    value = value * 256 + byte;
  }
  return value;
}

/** First address, prefix length, class; the first range that fits decides. */
const ipv4Ranges: readonly (readonly [from: number, bits: number, HostClass])[] = (
  [
    ['0.0.0.0', 8, 'unspecified'],
    ['10.0.0.0', 8, 'private'],
    ['100.64.0.0', 10, 'carrier_nat'],
    ['127.0.0.0', 8, 'loopback'],
    ['169.254.0.0', 16, 'link_local'],
    ['172.16.0.0', 12, 'private'],
    ['192.0.0.0', 24, 'reserved'],
    ['192.168.0.0', 16, 'private'],
    ['198.18.0.0', 15, 'reserved'],
    ['224.0.0.0', 4, 'multicast'],
    ['240.0.0.0', 4, 'reserved'],
  ] as const
).map(([from, bits, name]) => [ipv4Number(from)!, bits, name]);

function ipv4Class(address: number): HostClass {
  const text = [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
  if (metadataHosts.has(text)) return 'metadata';
  for (const [from, bits, name] of ipv4Ranges) {
    const size = 2 ** (32 - bits);
    if (address >= from && address < from + size) return name;
  }
  return 'external';
}

function ipv6Class(host: string): HostClass {
  const groups = ipv6Groups(host);
  if (groups === undefined) return 'reserved';
  const inside = embeddedIpv4(groups);
  if (inside !== undefined) return ipv4Class(inside);
  const first = groups[0]!;
  const rest = groups.slice(0, 7);
  if (rest.every((group) => group === 0) && groups[7]! <= 1) return groups[7] === 1 ? 'loopback' : 'unspecified';
  if (metadataHosts.has(compressed(groups))) return 'metadata';
  if (first >= 0xfc00 && first <= 0xfdff) return 'private';
  if (first >= 0xfe80 && first <= 0xfeff) return first <= 0xfebf ? 'link_local' : 'private';
  if (first >= 0xff00) return 'multicast';
  return first >= 0x2000 && first <= 0x3fff ? 'external' : 'reserved';
}

/** The eight groups of an IPv6 address; undefined when it is none. A zone (`%eth0`) is left out. */
function ipv6Groups(host: string): number[] | undefined {
  const text = host.split('%')[0]!;
  if (text.length > 45 || !/^[0-9a-f:.]+$/i.test(text)) return undefined;
  const sides = text.split('::');
  if (sides.length > 2) return undefined;
  const [left, right] = sides.map(groupsOf);
  if (left === undefined || (sides.length === 2 && right === undefined)) return undefined;
  const missing = 8 - left.length - (right?.length ?? 0);
  if (sides.length === 1) return missing === 0 ? left : undefined;
  return missing < 1 ? undefined : [...left, ...Array.from({ length: missing }, () => 0), ...right!];
}

function groupsOf(text: string): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  for (const part of text.split(':')) {
    const dotted = part.includes('.') ? ipv4Number(part) : undefined;
    if (dotted !== undefined) groups.push(Math.floor(dotted / 65_536), dotted % 65_536);
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}

/** The IPv4 address inside one of the forms that lead to it. */
function embeddedIpv4(groups: readonly number[]): number | undefined {
  if (groups.length !== 8) return undefined;
  const last = groups[6]! * 65_536 + groups[7]!;
  const zero = (from: number, to: number): boolean => groups.slice(from, to).every((group) => group === 0);
  if (zero(0, 5) && groups[5] === 0xffff) return last;
  if (zero(0, 6) && groups[6] !== 0) return last;
  if (zero(0, 4) && groups[4] === 0xffff && groups[5] === 0) return last;
  if (groups[0] === 0x64 && groups[1] === 0xff9b && zero(2, 6)) return last;
  if (groups[0] === 0x2002) return groups[1]! * 65_536 + groups[2]!;
  return (groups[4] === 0 || groups[4] === 0x200) && groups[5] === 0x5efe ? last : undefined;
}

/** As the URL parser writes it: the longest run of zero groups as `::`. */
function compressed(groups: readonly number[]): string {
  const url = new URL(`http://[${groups.map((group) => group.toString(16)).join(':')}]/`);
  return url.hostname.slice(1, -1);
}
