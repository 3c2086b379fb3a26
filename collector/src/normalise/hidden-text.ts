import { normaliseText } from '../text/normalise-text.ts';

/**
 * Characters that a person does not see and a model reads. Joiners and variation selectors belong to emoji and to many
 * scripts, and bidi marks to Arabic and Hebrew, so only uses that hide something count.
 */
export function hiddenUnicodeKinds(text: string): string[] {
  if (!maybeHidden.test(text)) return [];
  const kinds: string[] = [];
  if (tagCharacters.test(text.replace(flagSequence, ''))) kinds.push('tag');
  if (zeroWidthRun.test(text)) kinds.push('zero_width');
  if (bidiOverride.test(text) || (bidiEmbedding.test(text) && !rightToLeft.test(text))) kinds.push('bidi');
  if (variationRun.test(text)) kinds.push('variation_selector');
  return kinds;
}

const maybeHidden =
  // biome-ignore lint/suspicious/noMisleadingCharacterClass: single code points are meant, not what they combine to.
  /[\u034f\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\u{e0001}-\u{e01ef}]/u;
const tagCharacters = /[\u{e0001}\u{e0020}-\u{e007f}]/u;
/** 🏴 followed by a short tag run and its end is a regional flag such as Scotland's. */
const flagSequence = /\u{1f3f4}[\u{e0030}-\u{e0039}\u{e0061}-\u{e007a}]{2,6}\u{e007f}/gu;
const zeroWidthRun =
  /[\u034f\u115f\u1160\u180e\u200b-\u200d\u2060-\u2064\u206a-\u206f\u3164\ufeff\uffa0]{3}|\w[\u034f\u115f\u1160\u180e\u200b\u2060-\u2064\u206a-\u206f\u3164\ufeff\uffa0]\w/u;
const bidiOverride = /[\u202d\u202e]/u;
/** To the left, where nothing is written that way. */
const bidiEmbedding = /[\u202b\u2067]/u;
const rightToLeft = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;
const variationRun = /[\ufe00-\ufe0f\u{e0100}-\u{e01ef}]{2}|[\u{e0100}-\u{e01ef}](?<=[A-Za-z0-9 ].)/u;

/**
 * Words that read as English but are spelt with letters of another script: `іgnоrе` with Cyrillic i, o and e. Given as they read
 * and as what stands there, at most 16. Words of one script are never among them, nor are short ones and units such as µm.
 */
export function homoglyphWords(text: string): string[] {
  if (!otherScript.test(text)) return [];
  const found = new Set<string>();
  for (const [word] of text.matchAll(mixedWord)) {
    const reads = normaliseText(word);
    if (!/^[a-z]{4,}$/.test(reads)) continue;
    const strange = [...new Set([...word].filter((char) => char > '\u007f'))].slice(0, 4);
    found.add(
      `${reads.slice(0, 40)} ${strange.map((char) => `U+${char.codePointAt(0)!.toString(16).padStart(4, '0')}`).join(' ')}`,
    );
    if (found.size >= 16) break;
  }
  return [...found];
}

/** Scripts with letters that look like Latin ones. */
const otherScript = /[\u0370-\u03ff\u0400-\u052f\u0530-\u058f\u13a0-\u13ff\ua4d0-\ua4ff]/;
const mixedWord =
  /(?<![\p{L}\p{M}\d])(?=[\p{L}]{0,40}[A-Za-z])(?=[A-Za-z]{0,40}[\u0370-\u03ff\u0400-\u052f\u0530-\u058f\u13a0-\u13ff\ua4d0-\ua4ff])\p{L}{4,64}(?![\p{L}\p{M}\d])/gu;
