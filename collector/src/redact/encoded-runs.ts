/** Base64 of a secret of 20 characters, without the padding; hex of one is longer. */
export const encodedBytesMin = 27;

/** Longer runs are images and archives: of them one layer is looked at. */
export const nestedBytesMax = 16_384;
const layersMax = 3;

/**
 * What `look` finds in what a run of base64 or hex says, or in runs inside of that, up to three layers; undefined when that is
 * nothing. Texts are given as one character for each byte.
 * @param run of letters, digits and the signs of both alphabets of base64, without line ends
 */
export function inDecoded<T>(run: string, look: (decoded: string) => T | undefined, layers = layersMax): T | undefined {
  for (const decoded of decodedForms(run)) {
    const found = look(decoded);
    if (found !== undefined) return found;
    if (layers <= 1 || run.length > nestedBytesMax || !innerRun.test(decoded)) continue;
    for (const [inner] of decoded.matchAll(innerRuns)) {
      const deeper = inDecoded(inner, look, layers - 1);
      if (deeper !== undefined) return deeper;
    }
  }
  return undefined;
}

/** A character of what stands around it may look like the first of the run, so all alignments are tried. */
function* decodedForms(run: string): Generator<string> {
  for (const digits of hexPieces(run)) yield Buffer.from(digits, 'hex').toString('latin1');
  if (!/[A-Z]/.test(run)) return;
  for (let shift = 0; shift < 4; shift++) yield Buffer.from(run.slice(shift), 'base64').toString('latin1');
}

/** Pieces of hex that say ASCII. Ids and hashes do not: a byte of theirs is as likely any other. */
export function hexPieces(run: string): string[] {
  const pieces: string[] = [];
  for (const [digits] of run.matchAll(hexRuns)) {
    for (const shift of [0, 1]) {
      const piece = digits.slice(shift);
      // The first pair may be half of something else.
      if (asciiDigits.test(piece.slice(2, hexDigitsMin))) pieces.push(piece.slice(0, piece.length & ~1));
    }
  }
  return pieces;
}

/** A secret of 20 characters. */
const hexDigitsMin = 40;
const hexRuns = new RegExp(`[0-9A-Fa-f]{${hexDigitsMin},}`, 'g');
const asciiDigits = /^(?:[2-7][0-9A-Fa-f]|0[9AaDd])+$/;
const innerRun = new RegExp(`[A-Za-z0-9+/_-]{${encodedBytesMin}}`);
const innerRuns = new RegExp(`[A-Za-z0-9+/_-]{${encodedBytesMin},}`, 'g');
