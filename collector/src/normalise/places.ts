import { encodedPieces, originOf } from '../text/decode-text.ts';
import { type ContentMatch, piiMatches, secretMatches } from './content.ts';
import { layersOf } from './decoded-layers.ts';
import { masked } from './mask.ts';

/** Texts of a span and what they are called in places: `tool_result`, `arguments`, … */
export type NamedTexts = readonly (readonly [name: string, texts: readonly string[]])[];

const itemsMax = 128;
/** Decoding back and forth is dear, so that of longer texts only the beginning is told by place. */
const placedCharsMax = 65_536;
const decodedMatchesMax = 16;

/**
 * Where secrets and personal data stand, as lines `<class> <kind> <text>[<n>] <start>-<end> <encodings> <masked>`: the places are
 * UTF-16 units in the n-th text of that name, encodings are `-` or the way to the value (`hex>base64`), and of the value no more
 * than two characters at each end are shown. `checksum:ok` or `checksum:bad` stands behind where the format has one.
 */
export function contentPlaces(named: NamedTexts): string[] {
  return linesOf(named, (text) => {
    const plain = matches(text).map((match) => ({ match, encodings: '-', value: text.slice(match.start, match.end) }));
    const known = new Set(plain.map(({ value }) => value));
    const lines = [...plain, ...decodedMatches(text, known)];
    return lines.map(({ match, encodings, value }) => {
      const checksum = match.checksum === undefined ? '' : ` checksum:${match.checksum ? 'ok' : 'bad'}`;
      return [`${match.class} ${match.kind}`, `${match.start}-${match.end} ${encodings} ${masked(value)}${checksum}`];
    });
  });
}

/** Where encoded pieces stand, as lines `<text>[<n>] <start>-<end> <encodings>`. */
export function encodedPlaces(named: NamedTexts): string[] {
  return linesOf(named, (text) =>
    encodedPieces(text, layersOf(text)).map(({ place, encodings }) => [
      '',
      `${place.start}-${place.end} ${encodings.join('>')}`,
    ]),
  );
}

function linesOf(named: NamedTexts, linesIn: (text: string) => (readonly string[])[]): string[] {
  const lines = new Set<string>();
  for (const [name, texts] of named) {
    for (const [index, text] of texts.entries()) {
      for (const [head, tail] of linesIn(text.slice(0, placedCharsMax))) {
        if (lines.size >= itemsMax) return [...lines];
        lines.add(`${head} ${name}[${index}] ${tail}`.trim());
      }
    }
  }
  return [...lines];
}

interface Found {
  readonly match: ContentMatch;
  readonly encodings: string;
  readonly value: string;
}

function decodedMatches(text: string, known: Set<string>): Found[] {
  const found: Found[] = [];
  for (const layer of layersOf(text)) {
    for (const match of matches(layer.text)) {
      const value = layer.text.slice(match.start, match.end);
      if (known.has(value) || found.length >= decodedMatchesMax) continue;
      known.add(value);
      const { place, encodings } = originOf(text, layer, match);
      if (encodings.length > 0)
        found.push({ match: { ...match, ...place }, encodings: encodings.join('>').replace(/ /g, '_'), value });
    }
  }
  return found;
}

function matches(text: string): ContentMatch[] {
  return [...secretMatches(text), ...piiMatches(text)];
}
