/** What an integer of 64 bits is in JSON, and what texts get in front that begin like one. */
const integerMark = '\u0000n';
const textMark = '\u0000s';

/** JSON in which integers of 64 bits survive, on one line. */
export function packed(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) => {
    if (typeof each === 'bigint') return integerMark + each;
    return typeof each === 'string' && each.startsWith('\u0000') ? textMark + each : each;
  });
}

/** Throws a SyntaxError on what `packed` did not write. */
export function unpacked(text: string): unknown {
  return JSON.parse(text, (_key, each: unknown) => {
    if (typeof each !== 'string' || !each.startsWith('\u0000')) return each;
    return each.startsWith(integerMark) ? BigInt(each.slice(2)) : each.slice(2);
  });
}
