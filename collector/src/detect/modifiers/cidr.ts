/** IP addresses as 128-bit numbers; IPv4 as its IPv4-mapped IPv6 form, so that `::ffff:10.0.0.1` is `10.0.0.1`. */
const mappedPrefix = 0xffffn << 32n;

export type CidrRead = { readonly test: (text: string) => boolean } | { readonly problem: string };

/** Reads `a.b.c.d/n` or `x::y/n`. Host bits set are a problem, as they hide a typing error. */
export function readCidr(source: string): CidrRead {
  const slash = source.indexOf('/');
  const address = parseIp(slash < 0 ? source : source.slice(0, slash));
  if (address === undefined) return { problem: 'this is no IP network' };
  const isV4 = !source.includes(':');
  const bitsMax = isV4 ? 32 : 128;
  const bitsText = slash < 0 ? String(bitsMax) : source.slice(slash + 1);
  if (!/^\d{1,3}$/.test(bitsText) || Number(bitsText) > bitsMax) {
    return { problem: `the prefix length must be 0 to ${bitsMax}` };
  }
  const shift = BigInt(bitsMax - Number(bitsText));
  if ((address >> shift) << shift !== address) return { problem: 'bits behind the prefix are set' };
  const network = address >> shift;
  return {
    test: (text) => {
      const ip = parseIp(text);
      return ip !== undefined && ip >> shift === network;
    },
  };
}

/** The address as a number, or undefined when the text is no IPv4 or IPv6 address. */
export function parseIp(text: string): bigint | undefined {
  if (text.length > 45) return undefined;
  if (!text.includes(':')) {
    const v4 = parseV4(text);
    return v4 === undefined ? undefined : mappedPrefix | BigInt(v4);
  }
  return parseV6(text);
}

function parseV4(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let address = 0;
  for (const part of parts) {
    if (!/^(?:0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    address = address * 256 + Number(part);
  }
  return address;
}

function parseV6(text: string): bigint | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = groups(halves[0]!, halves.length === 1);
  const tail = halves.length === 2 ? groups(halves[1]!, true) : [];
  if (!head || !tail) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  let address = 0n;
  for (const group of [...head, ...Array<number>(missing).fill(0), ...tail]) address = (address << 16n) | BigInt(group);
  return address;
}

/** The 16-bit groups of one half; the last may be dotted IPv4. */
function groups(half: string, mayEndInV4: boolean): number[] | undefined {
  if (half === '') return [];
  const numbers: number[] = [];
  const parts = half.split(':');
  for (const [index, part] of parts.entries()) {
    if (part.includes('.') && mayEndInV4 && index === parts.length - 1) {
      const v4 = parseV4(part);
      if (v4 === undefined) return undefined;
      numbers.push(v4 >>> 16, v4 & 0xffff);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      numbers.push(Number.parseInt(part, 16));
    } else {
      return undefined;
    }
  }
  return numbers;
}
