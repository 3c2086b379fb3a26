/**
 * Compatibility decomposition without accents: https://www.unicode.org/reports/tr15/. Only marks of the blocks that any
 * letter may carry go; vowel signs and voicing marks, which are letters to their scripts, stay.
 */
export function plainLetters(text: string): string {
  return text.normalize('NFKD').replace(marks, '');
}

const marks = /[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+/g;
