import { taxonomy } from './taxonomy.ts';

const messages = ['gen_ai.input.messages', 'gen_ai.output.messages'];
const calls = ['gen_ai.tool.call.arguments', 'gen_ai.tool.name'];
const query = ['gen_ai.tool.call.arguments', 'db.query.text'];
const texts = [
  ...messages,
  'gen_ai.tool.call.arguments',
  'gen_ai.tool.call.result',
  'gen_ai.tool.definitions',
  'gen_ai.tool.description',
  'gen_ai.system_instructions',
  'gen_ai.retrieval.documents',
];

/**
 * The attributes that facts are worked out from, by the longest beginning of the fact's name that stands here: a fact can
 * arrive when any of them does. The first that fits is taken.
 */
const sources: readonly (readonly [prefix: string, attributes: readonly string[]])[] = [
  ['spanwarden.text.user', ['gen_ai.input.messages']],
  ['spanwarden.text.tool_result', ['gen_ai.tool.call.result', 'gen_ai.input.messages']],
  ['spanwarden.text.system', ['gen_ai.system_instructions', 'gen_ai.input.messages']],
  ['spanwarden.text.output', ['gen_ai.output.messages']],
  ['spanwarden.text.tool_definition', ['gen_ai.tool.definitions', 'gen_ai.tool.description']],
  ['spanwarden.text.retrieved', ['gen_ai.retrieval.documents']],
  ['spanwarden.text.arguments', ['gen_ai.tool.call.arguments']],
  ['spanwarden.argument', ['gen_ai.tool.call.arguments']],
  ['spanwarden.proposed', ['gen_ai.output.messages']],
  ['spanwarden.effect.kinds', calls],
  ['spanwarden.effect.sql_kinds', query],
  ['spanwarden.effect.sql_tables', query],
  ['spanwarden.effect.sql_marks', query],
  ['spanwarden.effect.http_method', ['gen_ai.tool.call.arguments', 'http.request.method']],
  ['spanwarden.effect.body_bytes', ['gen_ai.tool.call.arguments', 'http.request.body.size']],
  ['spanwarden.effect', ['gen_ai.tool.call.arguments']],
  ['spanwarden.outgoing', ['gen_ai.tool.call.arguments']],
  ['spanwarden.content', texts],
  ['spanwarden.output', ['gen_ai.output.messages']],
  ['spanwarden.flow', ['gen_ai.output.messages']],
  ...['source', 'source_decoded', 'source_words', 'source_ids'].map(
    (name) =>
      [
        `spanwarden.values.${name}`,
        ['gen_ai.tool.call.result', 'gen_ai.retrieval.documents', 'gen_ai.input.messages'],
      ] as const,
  ),
  ...['trusted', 'trusted_words', 'trusted_ids'].map(
    (name) =>
      [
        `spanwarden.values.${name}`,
        ['gen_ai.system_instructions', 'gen_ai.input.messages', 'gen_ai.tool.call.arguments'],
      ] as const,
  ),
  ['spanwarden.values', ['gen_ai.tool.call.arguments', 'gen_ai.output.messages']],
  ['spanwarden.usage', ['gen_ai.usage.input_tokens', 'gen_ai.usage.output_tokens']],
  ['spanwarden.tool_call', ['gen_ai.tool.call.arguments', ...messages]],
  ['spanwarden.tool.definition_hashes', ['gen_ai.tool.definitions']],
];

/**
 * The attributes of which one must arrive for a field to have a value; undefined when that cannot be told from attributes:
 * what every span has, and facts of other origin.
 */
export function sourcesOf(field: string): readonly string[] | undefined {
  if (/^(?:parent|root|ancestor)\./.test(field)) return sourcesOf(field.slice(field.indexOf('.') + 1));
  if (field.startsWith('resource.')) return [field.slice('resource.'.length)];
  if (field === 'service.name') return [field];
  const known = sources.find(([prefix]) => field === prefix || field.startsWith(`${prefix}.`));
  if (known) return known[1];
  const entry = taxonomy.find(({ name, open }) => name === field || (open && field.startsWith(`${name}.`)));
  return entry !== undefined && entry.kind !== 'attribute' ? undefined : [field, ...prefixesOf(field)];
}

/** Attributes whose arrival decides whether fields of the taxonomy can have a value. */
export const watchedAttributes: readonly string[] = [
  ...new Set([
    ...taxonomy.filter(({ kind }) => kind === 'attribute').map(({ name }) => name),
    ...sources.flatMap(([, attributes]) => attributes),
    'service.name',
  ]),
];

/** A field may be a member of a map attribute whose name it begins with. */
function prefixesOf(field: string): string[] {
  return [...field.matchAll(/\./g)].map(({ index }) => field.slice(0, index));
}
