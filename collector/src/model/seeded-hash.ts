const seed = randomWord();
const [factor0, factor1] = [randomWord() | 1, randomWord() | 1];

/** Spreads a word over a hash. Senders choose ids: with secret factors they cannot aim at one slot. */
export function mixed(hash: number, word: number): number {
  let h = Math.imul(hash ^ word ^ seed, factor0);
  h = Math.imul(h ^ (h >>> 15), factor1);
  h = Math.imul(h ^ (h >>> 13), 0x85ebca6b);
  return h ^ (h >>> 16);
}

function randomWord(): number {
  return (Math.random() * 0x100000000) | 0;
}
