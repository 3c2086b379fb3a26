import { confusables } from './confusables.ts';
import { foldCase } from './fold.ts';
import { plainLetters } from './marks.ts';

/**
 * The form in which texts that people or models read alike are one text:
 *
 * 1. what is not shown goes: default-ignorable code points (zero-width characters, variation selectors, tag characters, soft
 *    hyphens, direction controls) and control characters that are no white space;
 * 2. NFKC, which undoes full-width and mathematical letters, ligatures and circled characters;
 * 3. accents of the blocks of combining diacritical marks go;
 * 4. simple case folding;
 * 5. characters that look like ASCII ones become these (UTS #39, https://www.unicode.org/reports/tr39/). Unlike the
 *    standard's skeleton, ASCII text stays as it is;
 * 6. a run of white space becomes one space.
 *
 * It takes time linear in the text and changes a normalised text no more.
 */
export function normaliseText(text: string): string {
  const kind = kindOf(text);
  if (kind === 'plain') return text.toLowerCase();
  if (kind === 'ascii') return text.replace(asciiHidden, '').replace(asciiSpaces, ' ').toLowerCase();
  const folded = foldCase(plainLetters(text.replace(hidden, '')));
  // Case folding and look-alikes can leave letters that decompose or fold once more.
  const plain = foldCase(plainLetters(folded)).replace(nonAscii, likeAscii);
  return joined(plain.normalize('NFC'));
}

/**
 * Where a range of the normalised text stands in the text, to a character or two: enough to show people the place. It walks
 * through the text piece by piece and halves only the pieces in which the ends lie.
 */
export function placeOfNormalised(
  text: string,
  start: number,
  end: number,
): { readonly start: number; readonly end: number } {
  if (kindOf(text) === 'plain') return { start, end };
  const from = placeOf(text, start, 'start');
  return { start: from, end: Math.max(from, placeOf(text, end, 'end')) };
}

type Kind = 'plain' | 'ascii' | 'other';

function kindOf(text: string): Kind {
  if (isPlain(text)) return 'plain';
  return notAscii.test(text) ? 'other' : 'ascii';
}

/** Whether normalising a text only turns it to lower case: printable ASCII without runs of spaces, as most texts are. */
export function isPlain(text: string): boolean {
  return !notPrintable.test(text) && !text.includes('  ');
}

const notPrintable = /[^ -~]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the range is all of ASCII but DEL.
const notAscii = /[^\x00-\x7e]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const asciiHidden = /[\x00-\x08\x0e-\x1f]+/g;
const asciiSpaces = /[\t-\r][\t-\r ]*| [\t-\r ]+/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const hidden = /[\p{Default_Ignorable_Code_Point}\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\p{Cs}]+/gu;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the range is all of ASCII, controls included.
const nonAscii = /[^\x00-\x7f]/gu;

const lookAlikes: ReadonlyMap<string, string> = new Map(
  confusables.flatMap((row) => {
    const [ascii, ...codes] = row.split(' ');
    return codes.map((code): [string, string] => [String.fromCodePoint(Number.parseInt(code, 16)), ascii!]);
  }),
);

function likeAscii(char: string): string {
  return lookAlikes.get(char) ?? char;
}

const spaces = /(?! (?![\t-\r\x85\p{Z}]))[\t-\r\x85\p{Z}]+/gu;

function joined(text: string): string {
  return text.replace(spaces, ' ');
}

const pieceChars = 1024;

function placeOf(text: string, wanted: number, edge: 'start' | 'end'): number {
  let [from, length] = [0, 0];
  for (;;) {
    const to = nextCut(text, from + pieceChars);
    const piece = text.slice(from, to);
    const own = normaliseText(piece).length;
    const reached = edge === 'start' ? length + own > wanted : length + own >= wanted;
    if (reached) return from + placeInPiece(piece, wanted - length, edge);
    if (to >= text.length) return text.length;
    [from, length] = [to, length + own];
  }
}

/** How much of the piece is before the place: normalising more of it never gives less, but for white space and accents. */
function placeInPiece(piece: string, wanted: number, edge: 'start' | 'end'): number {
  let [low, high] = [0, piece.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const length = normaliseText(piece.slice(0, middle)).length;
    if (edge === 'start' ? length <= wanted : length < wanted) low = middle + 1;
    else high = middle;
  }
  return edge === 'start' ? Math.max(0, low - 1) : low;
}

/** A place to cut at or soon after `at` that splits neither a run of white space nor a character from its marks. */
function nextCut(text: string, at: number): number {
  const last = Math.min(text.length, at + pieceChars);
  for (let cut = at; cut < last; cut++) if (/[!-~]{2}/.test(text.slice(cut - 1, cut + 1))) return cut;
  return last;
}
