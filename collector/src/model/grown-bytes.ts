/**
 * Memory for so many bytes that begins with the first `used` of `bytes`: the same where that has room, else more than is needed, as what
 * grows goes on to grow.
 */
export function grownBytes(bytes: Buffer, used: number, needed: number, atLeast = 0): Buffer {
  if (needed <= bytes.length) return bytes;
  const larger = Buffer.allocUnsafeSlow(Math.max(atLeast, needed + (needed >> 2)));
  bytes.copy(larger, 0, 0, used);
  return larger;
}
