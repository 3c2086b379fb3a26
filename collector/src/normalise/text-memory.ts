/** Texts that are shorter are worked out again more cheaply than they are found. */
const charsMin = 64;
const usualBounds = { textCharsMax: 65_536, charsMax: 500_000 };

/**
 * A function of a text that remembers what it gave of late: the facts of a span ask the same of the same texts. What it gives must not
 * be changed by anybody. Bounded by characters; forgotten as a whole.
 */
export function rememberedByText<T>(
  work: (text: string) => T,
  { textCharsMax, charsMax }: typeof usualBounds = usualBounds,
): (text: string) => T {
  const known = new Map<string, T>();
  let chars = 0;
  return (text) => {
    if (text.length < charsMin || text.length > textCharsMax) return work(text);
    let result = known.get(text);
    if (result === undefined) {
      result = work(text);
      chars += text.length;
      if (chars > charsMax) {
        known.clear();
        chars = text.length;
      }
      known.set(text, result);
    }
    return result;
  };
}
