import { isList, type Value, valueJson, valueText } from '../../model/value.ts';
import { parsedValue } from '../json-value.ts';
import { type Message, type Part, parseInstructions } from '../messages.ts';
import { type TaxonomyEntry, taxonomy } from '../taxonomy.ts';
import { canonicalDefinitions } from '../tool-definitions.ts';
import { canonicalFinishReason, canonicalProvider } from './providers.ts';

/** Brings what a reading gave into the form that the canonical attribute has; undefined when it has no such form. */
export type Form = (value: Value) => Value | undefined;

/** Canonical attributes that dialects may say. */
export const canonicalAttributes: ReadonlySet<string> = new Set(
  taxonomy.filter(({ kind }) => kind === 'attribute').map(({ name }) => name),
);

export function formOf(name: string): Form {
  return special.get(name) ?? byType[typeOf.get(name) ?? 'text'];
}

const typeOf = new Map(taxonomy.map(({ name, type }) => [name, type]));

const byType: Readonly<Record<TaxonomyEntry['type'], Form>> = {
  text: (value) => valueText(value) || undefined,
  number: numberOf,
  boolean: (value) => booleans.get(valueText(value).toLowerCase()),
  'text[]': textsOf,
  map: (value) => value,
  json: (value) => (typeof value === 'string' ? value : valueJson(value)),
};

const booleans = new Map([
  ['true', true],
  ['false', false],
]);

const special = new Map<string, Form>([
  ['gen_ai.provider.name', (value) => canonicalProvider(valueText(value))],
  ['gen_ai.response.finish_reasons', (value) => textsOf(value)?.map(canonicalFinishReason)],
  ['gen_ai.system_instructions', instructions],
  ['gen_ai.tool.call.result', result],
  ['gen_ai.tool.definitions', (value) => textOrNothing(canonicalDefinitions(value))],
]);

/** Text that was encoded as JSON is the text again; structures stay JSON. */
function result(value: Value): Value {
  if (typeof value !== 'string') return valueJson(value);
  const parsed = value.startsWith('"') ? parsedValue(value) : undefined;
  return typeof parsed === 'string' ? parsed : value;
}

function instructions(value: Value): Value | undefined {
  const texts = parseInstructions(value).filter((text) => text !== '');
  return textOrNothing(texts.map((content) => ({ type: 'text', content })));
}

function textOrNothing(list: readonly Value[]): string | undefined {
  return list.length === 0 ? undefined : valueJson(list);
}

function numberOf(value: Value): number | bigint | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  if (typeof value !== 'string' || !/^-?\d{1,19}(?:\.\d{1,19})?$/.test(value)) return undefined;
  return Number(value);
}

function textsOf(value: Value): string[] | undefined {
  const parsed = parsedValue(value);
  if (parsed === undefined || parsed === null) return undefined;
  const texts = (isList(parsed) ? parsed : [parsed]).map(valueText).filter((text) => text !== '');
  return texts.length === 0 ? undefined : texts;
}

/** Messages as JSON in the shape of the OTel GenAI conventions. */
export function messagesJson(messages: readonly Message[]): string {
  return `[${messages.map(messageJson).join(',')}]`;
}

/** One of them. */
export function messageJson({ role, parts, finishReason }: Message): string {
  const message = {
    role,
    parts: parts.map(partValue),
    ...(finishReason !== undefined && { finish_reason: finishReason }),
  };
  return valueJson(message, 1);
}

function partValue(part: Part): Value {
  switch (part.kind) {
    case 'text':
      return { type: part.reasoning ? 'reasoning' : 'text', content: part.text };
    case 'tool_call':
      return { type: 'tool_call', ...(part.id && { id: part.id }), name: part.name, arguments: part.arguments };
    case 'tool_result':
      return { type: 'tool_call_response', ...(part.id && { id: part.id }), response: part.result };
    case 'media': {
      const place = part.form === 'file' ? { file_id: part.uri } : part.form === 'uri' ? { uri: part.uri } : {};
      return { type: part.form, ...(part.mediaType && { mime_type: part.mediaType }), ...place };
    }
  }
}
