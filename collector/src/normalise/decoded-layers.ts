import { decodedLayers, encodedKinds } from '../text/decode-text.ts';
import { rememberedByText } from './text-memory.ts';

/** What encoded parts of a text say; for secrets that go out, their places and provenance one and the same. */
export const layersOf = rememberedByText((text) => decodedLayers(text));

/** Encodings in a text, as facts name them. */
export const encodingsIn = rememberedByText((text): readonly string[] =>
  text.length < 3 ? [] : encodedKinds(text).map((encoding) => encoding.replace(' ', '_')),
);
