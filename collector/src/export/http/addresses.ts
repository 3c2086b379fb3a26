import { type LookupAddress, lookup } from 'node:dns';
import { BlockList, isIPv4, type LookupFunction } from 'node:net';

/** Requests went to an address that `export.deny_private_addresses` forbids. */
export class AddressDenied extends Error {
  override readonly name = 'AddressDenied';
}

/** Finds the addresses of a name: what `dns.lookup` does with `all`. */
export type Resolve = (
  name: string,
  options: { readonly all: true; readonly family?: number; readonly hints?: number },
  done: (error: Error | null, addresses: readonly LookupAddress[]) => void,
) => void;

/**
 * Whether an address belongs to this machine, to a private network, to a link, to a cloud's metadata service or to nobody: all that
 * IANA's special-purpose registries call not globally reachable. Texts that are no address count as private.
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry
 * @see https://www.iana.org/assignments/iana-ipv6-special-registry
 */
export function isPrivateAddress(address: string): boolean {
  if (isIPv4(address)) return special.check(address, 'ipv4');
  const text = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  // IPv4-mapped, NAT64, unique-local, link-local, loopback: whatever carries or hides another address is outside of 2000::/3.
  return !globalUnicast.check(text, 'ipv6') || special.check(text, 'ipv6');
}

/**
 * A lookup for sockets that gives an error when one of a name's addresses is private. What it gives is what is connected to, so a name that
 * answers differently the next time (DNS rebinding) gains nothing.
 */
export function publicLookup(resolve: Resolve = lookup): LookupFunction {
  return (name, options, done) => {
    const family = options.family === 'IPv4' ? 4 : options.family === 'IPv6' ? 6 : (options.family ?? 0);
    resolve(name, { all: true, family, hints: options.hints ?? 0 }, (error, addresses) => {
      const denied = addresses?.find(({ address }) => isPrivateAddress(address));
      const failure = error ?? (denied && privateAddress(name, denied.address));
      const [first] = addresses ?? [];
      if (failure || first === undefined) {
        done(failure ?? Object.assign(new Error(`${name} has no address`), { code: 'ENOTFOUND' }), '', 0);
      } else if (options.all) done(null, [...addresses]);
      else done(null, first.address, first.family);
    });
  };
}

/** What is wrong with a host that is written as an address, for which no lookup is made; undefined when nothing is. */
export function deniedLiteral(hostname: string): AddressDenied | undefined {
  const isLiteral = isIPv4(hostname) || hostname.startsWith('[');
  return isLiteral && isPrivateAddress(hostname) ? privateAddress(hostname, hostname) : undefined;
}

/** The error for a name that leads to a private address, or for the address itself. */
export function privateAddress(name: string, address: string): AddressDenied {
  const what = name === address ? address : `${name} is at ${address}, which`;
  return new AddressDenied(`${what} is a private address, and export.deny_private_addresses forbids those`);
}

const globalUnicast = new BlockList();
globalUnicast.addSubnet('2000::', 3, 'ipv6');

const special = new BlockList();
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  // Azure's wire server: a public number that every virtual machine there reaches its host by.
  ['168.63.129.16', 32],
] as const) {
  special.addSubnet(net, bits, 'ipv4');
}
for (const [net, bits] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const) {
  special.addSubnet(net, bits, 'ipv6');
}
