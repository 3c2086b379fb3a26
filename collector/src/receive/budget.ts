import type { ByteBudget } from './contract.ts';

/** A number of bytes shared by all requests under way; counted as they arrive, not when they are complete. */
export function byteBudget(bytesMax: number): ByteBudget {
  let left = bytesMax;
  return {
    take(bytes) {
      if (bytes > left) return false;
      left -= bytes;
      return true;
    },
    giveBack(bytes) {
      left += bytes;
    },
  };
}
