import { timeParts } from './time-part.ts';

/** Every modifier there is, with the kind of value it takes. */
export const modifierKinds: ReadonlyMap<string, ModifierKind> = new Map<string, ModifierKind>([
  ...pairs('view', ['normalised', 'decoded']),
  ...pairs('shape', ['contains', 'startswith', 'endswith']),
  ...pairs('link', ['all', 'neq']),
  ...pairs('text', ['cased', 'windash', 'expand']),
  ...pairs('encode', ['base64', 'base64offset', 'utf16le', 'wide', 'utf16be', 'utf16']),
  ...pairs('regex', ['re']),
  ...pairs('flag', ['i', 'm', 's']),
  ...pairs('compare', ['lt', 'lte', 'gt', 'gte']),
  ...pairs('time', timeParts),
  ...pairs('alone', ['exists', 'cidr']),
  ...pairs('field', ['fieldref']),
]);

export type ModifierKind =
  | 'view'
  | 'shape'
  | 'link'
  | 'text'
  | 'encode'
  | 'regex'
  | 'flag'
  | 'compare'
  | 'time'
  | 'alone'
  | 'field';

/** What other tools call some modifiers, and what to write here. */
export const foreignModifiers: Readonly<Record<string, string>> = {
  normalized: 'normalised',
  normalize: 'normalised',
  decode: 'decoded',
  ignorecase: 'i',
  multiline: 'm',
  dotall: 's',
  not: 'neq',
  ne: 'neq',
  eq: 'no modifier at all',
  regex: 're',
  utf8: 'no modifier at all: text is UTF-8',
  greater: 'gt',
  less: 'lt',
};

/** Modifiers that may stand in one chain with the first one given; everything else is a type mismatch. */
const partners: readonly (readonly [ModifierKind, readonly (ModifierKind | string)[]])[] = [
  ['view', ['shape', 'link', 'regex', 'flag', 'cased', 'windash', 'expand']],
  ['regex', ['view', 'flag', 'link', 'expand']],
  ['field', ['shape', 'neq']],
  ['time', ['compare', 'link']],
  ['compare', ['time', 'link']],
];

/** What is wrong with a chain of known modifiers, or undefined. Order matters where the text says so. */
export function chainProblem(modifiers: readonly string[]): string | undefined {
  const kinds = modifiers.map((modifier) => modifierKinds.get(modifier)!);
  const repeated = modifiers.find((modifier, index) => modifiers.indexOf(modifier) !== index);
  if (repeated !== undefined) return `\`${repeated}\` stands twice`;
  if (modifiers.includes('exists') && modifiers.length > 1) return '`exists` stands alone';
  if (modifiers.includes('cidr') && modifiers.some((modifier) => !['cidr', 'neq', 'all'].includes(modifier))) {
    return '`cidr` stands alone, apart from `neq` and `all`';
  }
  const views = kinds.lastIndexOf('view') + 1;
  if (kinds.slice(0, views).some((kind) => kind !== 'view')) {
    return '`normalised` and `decoded` stand first: they say which form of the text the others look at';
  }
  if (modifiers.includes('normalised') && modifiers.includes('cased')) {
    return '`cased` does not go with `normalised`: a normalised text is lower case';
  }
  if (kinds.includes('regex') && kinds[views] !== 'regex') return '`re` must be the first modifier';
  if (kinds.includes('flag') && !kinds.includes('regex')) return '`i`, `m` and `s` only follow `re`';
  if (kinds.includes('regex') && kinds.includes('shape')) {
    return 'a regex is unanchored, so `contains`, `startswith` and `endswith` do not follow `re`: use `^` and `$`';
  }
  for (const [kind, allowed] of partners) {
    if (!kinds.includes(kind)) continue;
    const stranger = modifiers.find(
      (modifier, i) => kinds[i] !== kind && !allowed.includes(kinds[i]!) && !allowed.includes(modifier),
    );
    if (stranger !== undefined) return `\`${stranger}\` does not go with \`${modifiers[kinds.indexOf(kind)]}\``;
  }
  return countProblem(modifiers, kinds);
}

function countProblem(modifiers: readonly string[], kinds: readonly ModifierKind[]): string | undefined {
  for (const kind of ['compare', 'time'] as const) {
    if (kinds.filter((each) => each === kind).length > 1) return 'one comparison and one part of a time at most';
  }
  if (kinds.includes('time') && kinds.includes('compare') && kinds.indexOf('compare') < kinds.indexOf('time')) {
    return 'a comparison follows the part of the time: `hour|gte`';
  }
  const encoded = kinds.indexOf('encode');
  for (const late of ['windash', 'expand']) {
    if (encoded >= 0 && modifiers.indexOf(late) > encoded) return `\`${late}\` must stand before the encoding`;
  }
  if (encoded >= 0 && modifiers.includes('windash')) return '`windash` does not go with an encoding';
  return undefined;
}

function pairs(kind: ModifierKind, names: readonly string[]): [string, ModifierKind][] {
  return names.map((name) => [name, kind]);
}
