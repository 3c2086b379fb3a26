import type { MatcherSpec } from '../detect/matcher.ts';
import { parseIp } from '../detect/modifiers/cidr.ts';
import { literal } from './sql-text.ts';

/** A test of one member, the String in `m`, which is no null. */
export function matcherSql(spec: MatcherSpec, m: string): string {
  switch (spec.kind) {
    case 'glob':
      return globSql(spec, m);
    case 'regex':
      return `match(${m}, ${literal(flagged(spec.flags) + spec.source)})`;
    case 'boolean':
      return `lower(${m}) = '${spec.wanted}'`;
    case 'number':
      return numberSql(spec, m);
    case 'cidr':
      return cidrSql(spec.network, m);
  }
}

/** ClickHouse lets `.` match line breaks unless told otherwise. */
function flagged({ i, m, s }: Readonly<Record<'i' | 'm' | 's', boolean>>): string {
  return `(?${i ? 'i' : ''}${m ? 'm' : ''}${s ? 's' : '-s'})`;
}

/** Folding of case is RE2's in the engine too, so that a regex says exactly the same. */
function globSql({ pattern, cased }: Extract<MatcherSpec, { kind: 'glob' }>, m: string): string {
  const [only] = pattern;
  const text =
    pattern.length === 0
      ? ''
      : pattern.length === 1 && typeof only === 'object' && 'text' in only
        ? only.text
        : undefined;
  if (text !== undefined && (cased || text === '')) return `${m} = ${literal(text)}`;
  const open = pattern[0] === 'any';
  const close = pattern.at(-1) === 'any' && (pattern.length > 1 || !open);
  const inner = pattern.slice(open ? 1 : 0, close ? -1 : undefined);
  if (inner.length === 0) return '1';
  const parts = inner.map((part) => {
    if (part === 'any') return '.*';
    if (part === 'one') return '.';
    if (part === 'dash') return '[-/–—―]';
    return 'text' in part ? quoted(part.text) : '';
  });
  const start = open ? '' : '\\A';
  const end = close || pattern.at(-1) === 'any' ? '' : '\\z';
  return `match(${m}, ${literal(`(?${cased ? '' : 'i'}s)${start}${parts.join('')}${end}`)})`;
}

/** RE2 takes a backslash before any ASCII punctuation. */
function quoted(text: string): string {
  return text.replace(/[!-/:-@[-`{-~]/g, '\\$&').replace(/\0/g, '\\x00');
}

const operators = { eq: '=', lt: '<', lte: '<=', gt: '>', gte: '>=' } as const;

/** Whole numbers exactly, however long; others as the nearest Float64, as JavaScript compares them. */
function numberSql({ operator, wanted }: Extract<MatcherSpec, { kind: 'number' }>, m: string): string {
  const sign = operators[operator];
  const whole = typeof wanted === 'bigint' || Number.isInteger(wanted);
  const short = `length(${m}) <= 40`;
  const integer = `match(${m}, '\\\\A[+-]?[0-9]+\\\\z')`;
  const exact = whole
    ? `toInt256OrZero(replaceOne(${m}, '+', '')) ${sign} toInt256('${BigInt(wanted)}')`
    : `toFloat64OrZero(${m}) ${sign} ${String(wanted)}`;
  const decimal = `match(${m}, '\\\\A[+-]?(?:[0-9]+\\\\.?[0-9]*|\\\\.[0-9]+)(?:[eE][+-]?[0-9]+)?\\\\z')`;
  const near = `toFloat64OrZero(${m}) ${sign} toFloat64('${String(wanted)}')`;
  return `(${short} AND multiIf(${integer}, ${exact}, ${decimal}, ${near}, 0))`;
}

/** IPv4 as its mapped IPv6 form, as the engine does; octets with leading zeros are no address there. */
function cidrSql(network: string, m: string): string {
  const [address = '', bits] = network.split('/');
  const isV4 = !address.includes(':');
  const length = Number(bits ?? (isV4 ? 32 : 128)) + (isV4 ? 96 : 0);
  const hex = parseIp(address)!.toString(16).padStart(32, '0');
  const range = `${hex.match(/.{4}/g)!.join(':')}/${length}`;
  const odd = `match(${m}, '(?:^|[.:])0[0-9]+\\\\.|\\\\.0[0-9]')`;
  return `(NOT ${odd} AND ifNull(isIPAddressInRange(toString(toIPv6OrNull(${m})), '${range}'), 0))`;
}
