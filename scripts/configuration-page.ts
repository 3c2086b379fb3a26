import type { JsonSchema } from '../collector/src/config/schema.ts';

/** docs/configuration.md out of the JSON Schema of the config. */
export function configurationPage(schema: JsonSchema): string {
  const sections = Object.entries(schema.properties ?? {});
  const isSection = ([, section]: [string, JsonSchema]) => section.properties !== undefined;
  return [
    ...introduction,
    '## Top level',
    '',
    ...table(sections.filter((entry) => !isSection(entry)).map(([key, option]) => ({ key, option }))),
    ...sections.filter(isSection).flatMap(([name, section]) => sectionPart(name, section)),
  ].join('\n');
}

/**
 * The schema for editors: what the config accepts, and besides, wherever a plain value stands, a reference that becomes
 * one (`${env:NAME}`), which a strict schema would underline.
 */
export function editorSchema(schema: JsonSchema): JsonSchema {
  const { properties, items, additionalProperties, anyOf, oneOf } = schema;
  const isUnion = anyOf !== undefined || oneOf !== undefined;
  const isLeaf = properties === undefined && items === undefined && !isUnion && schema.type !== 'object';
  const isFreeText = schema.type === 'string' && schema.enum === undefined && !('pattern' in schema);
  if (isLeaf && !isFreeText) {
    const { description, default: preset, ...rest } = schema;
    return {
      ...(description !== undefined && { description }),
      ...(preset !== undefined && { default: preset }),
      anyOf: [rest, { type: 'string', pattern: '\\$\\{' } as JsonSchema],
    };
  }
  return {
    ...schema,
    ...(properties && { properties: mapValues(properties, editorSchema) }),
    ...(items && { items: editorSchema(items) }),
    ...(oneOf && { oneOf: oneOf.map(editorKind) }),
    ...(typeof additionalProperties === 'object' && { additionalProperties: editorSchema(additionalProperties) }),
  };
}

/** Of sections of several kinds one: the constant that tells it from the others stays as it is. */
function editorKind(kind: JsonSchema): JsonSchema {
  const { properties = {} } = kind;
  const plain = Object.entries(properties).filter(([, { const: value }]) => value !== undefined);
  const edited = editorSchema(kind);
  return { ...edited, properties: { ...edited.properties, ...Object.fromEntries(plain) } };
}

const introduction = [
  '# Configuration',
  '',
  'Generated from the schema in `collector/src/config/schema.ts` by `npm run generate`; do not edit it by hand.',
  '',
  'Spanwarden runs without a config file. To change something, write `spanwarden.yaml` in the working directory, or name',
  'a file with `--config`. `spanwarden config check` tells everything that is wrong with it, with line and column;',
  '`spanwarden config print` shows it with every default filled in and secrets as `[REDACTED]`.',
  '',
  '- Unknown keys are errors: a typo never silently falls back to a default.',
  '- `${env:NAME}` and `${env:NAME:-default}` take a value from the environment, `${file:path}` from a file (its last line',
  '  break is dropped). An unset variable without a default is an error. `$${` stands for a plain `${`.',
  '- Relative paths are seen from the working directory.',
  '- Editors that know YAML complete and check the file with this first line:',
  '  `# yaml-language-server: $schema=<path to docs/spanwarden.schema.json>`',
  '',
];

interface Row {
  readonly key: string;
  readonly option: JsonSchema;
}

function sectionPart(name: string, section: JsonSchema): string[] {
  const kinds = Object.entries(section.properties ?? {}).flatMap(([key, option]) =>
    kindsPart(`${name}.${key}`, option),
  );
  return [`## \`${name}\``, '', section.description ?? '', '', ...table(rowsOf(name, section)), ...kinds];
}

/** Named sections of several kinds: a table of what all have, and one for each kind. */
function kindsPart(name: string, { additionalProperties: each }: JsonSchema): string[] {
  if (typeof each !== 'object' || each.oneOf === undefined) return [];
  const prefix = `${name}.<name>`;
  const kinds = each.oneOf.map((kind) => ({ kind, rows: rowsOf(prefix, kind) }));
  const texts = kinds.map(({ rows }) => new Set(rows.map((row) => JSON.stringify(row))));
  const isCommon = (row: Row): boolean => texts.every((all) => all.has(JSON.stringify(row)));
  return [
    `### \`${prefix}\``,
    '',
    each.description ?? '',
    '',
    ...table(kinds[0]?.rows.filter(isCommon) ?? []),
    ...kinds.flatMap(({ kind, rows }) => [
      `### \`${prefix}\` of type ${String(kind.properties?.type?.const)}`,
      '',
      ...paragraph(kind.properties?.type?.description),
      ...table(rows.filter((row) => !isCommon(row))),
    ]),
  ];
}

function paragraph(text: string | undefined): string[] {
  return text === undefined ? [] : [text, ''];
}

function rowsOf(prefix: string, section: JsonSchema): Row[] {
  return Object.entries(section.properties ?? {}).flatMap(([key, option]) => {
    const path = `${prefix}.${key}`;
    return option.properties === undefined ? [{ key: path, option }] : rowsOf(path, option);
  });
}

function table(rows: readonly Row[]): string[] {
  const lines = rows.map(({ key, option }) =>
    [`\`${key}\``, typeText(option), defaultText(option), option.description ?? ''].map(cell).join(' | '),
  );
  return ['| key | type | default | meaning |', '|---|---|---|---|', ...lines.map((line) => `| ${line} |`), ''];
}

function typeText(option: JsonSchema): string {
  if (option.enum !== undefined) return option.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (option.oneOf !== undefined) return 'section';
  if (typeof option.additionalProperties === 'object') return `${typeText(option.additionalProperties)} by name`;
  if (option.anyOf !== undefined) return option.anyOf.map(typeText).join(' or ');
  if (option.const !== undefined) return `\`${String(option.const)}\``;
  if (option.items !== undefined) return `list of ${typeText(option.items)}`;
  return `${option.type ?? 'any'}${rangeText(option)}`;
}

/** Bounds that a person chose; zod also writes the range of safe integers, which says nothing. */
function rangeText({ minimum, maximum }: JsonSchema): string {
  const from = minimum !== undefined && Math.abs(minimum) < Number.MAX_SAFE_INTEGER ? minimum : undefined;
  const to = maximum !== undefined && Math.abs(maximum) < Number.MAX_SAFE_INTEGER ? maximum : undefined;
  if (from === undefined && to === undefined) return '';
  if (to === undefined) return `, at least ${from}`;
  return from === undefined ? `, at most ${to}` : `, ${from} to ${to}`;
}

function defaultText({ default: value }: JsonSchema): string {
  return value === undefined ? '–' : `\`${JSON.stringify(value)}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, change: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}
