import { piiKinds, secretKinds } from './content.ts';
import { hiddenUnicodeKinds, homoglyphWords } from './hidden-text.ts';

/** Classifiers of texts: each gives the kinds it finds. */
export const classifiers = {
  secrets: secretKinds,
  pii: piiKinds,
  hiddenUnicode: hiddenUnicodeKinds,
  homoglyphs: homoglyphWords,
} as const;

export type ContentClass = keyof typeof classifiers;

/** Whether it is content that plain text never holds. */
export function isUnusual(kind: ContentClass): boolean {
  return kind === 'hiddenUnicode' || kind === 'homoglyphs';
}

/** The kinds in any of the texts, each once. */
export function kindsIn(
  all: readonly (readonly string[])[],
  classify: (text: string) => readonly string[],
): readonly string[] {
  let kinds: Set<string> | undefined;
  for (const texts of all) {
    for (const text of texts) {
      for (const kind of classify(text)) {
        kinds ??= new Set();
        kinds.add(kind);
      }
    }
  }
  return kinds === undefined ? none : [...kinds];
}

const none: readonly never[] = [];
