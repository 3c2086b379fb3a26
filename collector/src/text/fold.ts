/**
 * Unicode simple case folding, code point by code point and without locale: what RE2's `(?i)` does. One UTF-16 unit
 * stays one unit, so that a place in the folded text is the same place in the text.
 */
export function foldCase(text: string): string {
  return isAscii(text)
    ? text.toLowerCase()
    : text.replace(/[\p{Changes_When_Casefolded}\u1fbe\u1fd3\u1fe3]/gu, foldOne);
}

function isAscii(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is all of ASCII, controls included.
  return /^[\x00-\x7f]*$/.test(text);
}

/** Folding to the lower case of the upper case, where both are one code point, joins all forms of a letter: ς Σ σ. Cherokee folds up. */
function foldOne(char: string): string {
  const special = irregular.get(char);
  if (special !== undefined) return special;
  const upper = char.toUpperCase();
  if (char >= '\u13f8' && char <= '\uabbf' && upper >= '\u13a0' && upper <= '\u13f5') return upper;
  const lower = (upper.length === char.length ? upper : char).toLowerCase();
  return lower.length === char.length ? lower : char;
}

/** Letters whose upper case is longer than one code point but which still have a partner. */
const irregular: ReadonlyMap<string, string> = new Map([
  ['\u1fd3', '\u0390'],
  ['\u1fe3', '\u03b0'],
  ['\ufb05', '\ufb06'],
]);
