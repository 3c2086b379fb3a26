const doubleBits = new DataView(new ArrayBuffer(8));

/**
 * A double as a whole number of 2^-1074, the smallest double. Sums of these are exact: they depend on no order, and what
 * leaves a window leaves nothing behind.
 */
export function exactUnits(value: number): bigint {
  if (Number.isSafeInteger(value)) return BigInt(value) << 1074n;
  doubleBits.setFloat64(0, value);
  const bits = doubleBits.getBigUint64(0);
  const exponent = (bits >> 52n) & 0x7ffn;
  const fraction = bits & 0xf_ffff_ffff_ffffn;
  const units = exponent === 0n ? fraction : (fraction | 0x10_0000_0000_0000n) << (exponent - 1n);
  return value < 0 ? -units : units;
}

/** The nearest number for people; comparisons use the units. */
export function approximate(units: bigint): number {
  const negative = units < 0n;
  const size = negative ? -units : units;
  const bits = size.toString(2).length;
  const shift = Math.max(0, bits - 64);
  const exponent = shift - 1074;
  // In two steps, as 2^-1074 times a half of it would be 0.
  const number = Number(size >> BigInt(shift)) * 2 ** Math.ceil(exponent / 2) * 2 ** Math.floor(exponent / 2);
  return negative ? -number : number;
}
