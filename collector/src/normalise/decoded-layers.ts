import { decodedLayers, encodedKinds, type Layer } from '../text/decode-text.ts';
import { rememberedByText } from './text-memory.ts';

/** What encoded parts of a text say; for secrets that go out, their places, the places of encodings and provenance one and the same. */
export const layersOf = rememberedByText((text): readonly Layer[] => decodedLayers(text));

/** Encodings in a text, as facts name them. */
export function encodingsIn(text: string): readonly string[] {
  const layers = text.length < 3 ? none : layersOf(text);
  return layers.length === 0 ? none : encodedKinds(text, layers).map((encoding) => encoding.replace(' ', '_'));
}

const none: readonly never[] = [];

/** The texts, and what encoded parts of them say. */
export function withDecoded(all: readonly string[]): readonly string[] {
  return all.flatMap((text) => (text.length < 16 ? [text] : [text, ...layersOf(text).map((layer) => layer.text)]));
}
