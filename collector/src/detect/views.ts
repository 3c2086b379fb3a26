import { limits } from '../model/limits.ts';
import { type DecodeHints, decodedLayers, type Layer, originOf } from '../text/decode-text.ts';
import { normaliseText, placeOfNormalised } from '../text/normalise-text.ts';
import { TextTrait } from '../text/traits.ts';
import { excerpt } from './evidence.ts';
import type { TextRange } from './glob.ts';
import { type Matcher, Member } from './matcher.ts';

/** Which form of a text a rule looks at: `normalised`, `decoded` (the text and its decoded layers), or both. */
export type View = 'normalised' | 'decoded' | 'both';

/** The view that the modifiers of an item ask for. Their order does not matter: decoding comes first. */
export function viewOf(modifiers: readonly string[]): View | undefined {
  const [normalised, decoded] = [modifiers.includes('normalised'), modifiers.includes('decoded')];
  if (normalised) return decoded ? 'both' : 'normalised';
  return decoded ? 'decoded' : undefined;
}

type Shown = Partial<Record<View, readonly Member[]>>;

/** Texts of one span that are told apart before further ones are looked at on their own, however often they stand in it. */
const sharedTextsMax = 32;

/**
 * The views of the texts of one span. A text is normalised and decoded once, whichever fields hold it and however many rules
 * ask, and only when one does.
 */
export class TextViews {
  readonly #hintsOf: (member: Member) => DecodeHints;
  #turn = -1;
  #texts: string[] = [];
  #shown: Shown[] = [];

  /** @param hintsOf what is known of a member's text; default is nothing, so that everything is looked for in it */
  constructor(hintsOf: (member: Member) => DecodeHints = () => ({})) {
    this.#hintsOf = hintsOf;
  }

  /** Forgets the texts of the last span. */
  turnTo(turn: number): void {
    if (this.#turn === turn) return;
    this.#turn = turn;
    if (this.#texts.length === 0) return;
    this.#texts = [];
    this.#shown = [];
  }

  /** What a member that holds text shows in a view; the first is the text itself or its normalised form. */
  of(member: Member, view: View): readonly Member[] {
    // Few texts, compared by place in memory and length first: cheaper than a map, which hashes every character.
    const at = this.#texts.indexOf(member.text);
    const shown: Shown = at < 0 ? {} : this.#shown[at]!;
    if (at < 0 && this.#texts.length < sharedTextsMax) {
      this.#texts.push(member.text);
      this.#shown.push(shown);
    }
    return this.#in(shown, member, view);
  }

  #in(shown: Shown, member: Member, view: View): readonly Member[] {
    shown[view] ??= this.#make(shown, member, view);
    return shown[view];
  }

  #make(shown: Shown, member: Member, view: View): readonly Member[] {
    const { text } = member;
    if (view === 'normalised') {
      const { traits = TextTrait.other } = this.#hintsOf(member);
      if ((traits & TextTrait.other) === 0) return [new AsciiMember(member)];
      return [new ViewedMember(normaliseText(text), text, undefined, true)];
    }
    if (view === 'decoded') {
      const layers = decodedLayers(text, this.#hintsOf(member));
      return layers.length === 0
        ? [member]
        : [member, ...layers.map((layer) => new ViewedMember(layer.text, text, layer, false))];
    }
    const normal = this.#in(shown, member, 'normalised');
    const layers = this.#in(shown, member, 'decoded');
    if (layers.length === 1) return normal;
    const seen = new Set<string>(normal.map((each) => each.text));
    const members: Member[] = [...normal];
    for (const each of layers) {
      if (!(each instanceof ViewedMember) || each.layer === undefined) continue;
      const normalised = normaliseText(each.layer.text);
      if (seen.has(normalised)) continue;
      seen.add(normalised);
      members.push(new ViewedMember(normalised, text, each.layer, true));
    }
    return members;
  }
}

/** A form of a text that knows the text it was made of. */
class ViewedMember extends Member {
  readonly original: string;
  readonly layer: Layer | undefined;
  readonly normalised: boolean;

  constructor(text: string, original: string, layer: Layer | undefined, normalised: boolean) {
    super(text);
    this.original = original;
    this.layer = layer;
    this.normalised = normalised;
  }
}

/** The normalised form of an ASCII text, in which the scanner finds what it finds in the text; written when a matcher asks for it. */
class AsciiMember extends Member {
  #normalised: string | undefined;

  constructor(original: Member) {
    super(original.value, undefined, original);
  }

  override get text(): string {
    this.#normalised ??= normaliseText(this.twin!.text);
    return this.#normalised;
  }

  override get folded(): string {
    return this.text;
  }
}

/** The matcher, asked about what the view shows of a member: it passes when any of that does. */
export function throughView(inner: Matcher, view: View): Matcher {
  const shown = (member: Member): Member | undefined => member.view(view).find((each) => inner.test(each));
  const words = view === 'both' ? 'normalised, decoded' : view;
  return {
    test: (member) => {
      for (const each of member.view(view)) if (inner.test(each)) return true;
      return false;
    },
    show: (member) => {
      const found = shown(member) ?? member;
      return showPlace(found, inner.find?.(found) ?? { start: 0, end: found.text.length });
    },
    wanted: `${words} ${inner.wanted}`,
    required: inner.required,
    view,
    inner,
  };
}

/** How much of an excerpt is for the text as it stands, when its decoded form is shown beside it. */
const originalCharsMax = 100;

/** The text as it stands there; where that does not show what was found, in which layer it was found and as what. */
function showPlace(found: Member, range: TextRange): string {
  const isAscii = found instanceof AsciiMember;
  if (!isAscii && !(found instanceof ViewedMember)) return excerpt(found.text, range);
  const { original, layer, normalised } = isAscii
    ? { original: found.twin!.text, layer: undefined, normalised: true }
    : found;
  const layerText = layer?.text ?? original;
  const inLayer = normalised ? placeOfNormalised(layerText, range.start, range.end) : range;
  const { place, encodings } = layer ? originOf(original, layer, inLayer) : { place: inLayer, encodings: [] };
  const inPlain = original.slice(place.start, place.end).toLowerCase() === found.text.slice(range.start, range.end);
  if (inPlain || range.end === range.start) return excerpt(original, place);
  const before = excerpt(original, place, originalCharsMax);
  const words = [
    ...(encodings.length > 0 ? [`in ${encodings.join(', in ')}, decoded`] : []),
    ...(normalised ? ['normalised'] : []),
  ];
  const lead = `${before} (${words.join(' and ')}: `;
  return `${lead}${excerpt(found.text, range, limits.evidenceCharsMax - lead.length - 1)})`;
}
