import type { FieldTable } from '../../model/fields.ts';
import { Attribute, Span, ValueType } from '../../model/span-batch.ts';
import { compareNames } from '../rows/attribute-shapes.ts';
import { typeLetters } from '../rows/attribute-types.ts';
import type { HistoryBatch } from './batch.ts';
import { larger, typeOfLetter } from './decoder.ts';

/** An attribute of a message: its name, the letter of its type, and its value as it is stored. */
export interface KeyedAttribute {
  readonly name: string;
  readonly letter: string;
  readonly text: string;
}

/** The attributes of a keyed list, of which `messages` are the texts by number; the other way round than `KeyedListWriter`. */
export function keyedAttributes(list: string, messages: readonly (string | undefined)[]): KeyedAttribute[] {
  return messages.flatMap((message, number) =>
    Object.entries(JSON.parse(message ?? '{}') as Record<string, string | [string, string]>).map(([key, value]) => {
      const [letter, text] = typeof value === 'string' ? [typeLetters.string, value] : value;
      return { name: `${list}.${number}.${key}`, letter, text };
    }),
  );
}

/**
 * Gives the span of a batch a run of attributes of its own, in which `attributes` stand in place of row `at`, all by name as stored maps
 * have them. `textAt` appends a text to the bytes of the batch and says where it begins.
 */
export function spread(
  batch: HistoryBatch,
  fields: FieldTable,
  { span, at }: { readonly span: number; readonly at: number },
  attributes: readonly KeyedAttribute[],
  textAt: (text: Buffer) => number,
): void {
  const row = span * Span.stride;
  const first = batch.spans[row + Span.attributes]!;
  const before = Array.from(
    { length: batch.spans[row + Span.attributeCount]! },
    (_, i) => (first + i) * Attribute.stride,
  );
  const own = before
    .filter((each) => each !== at)
    .map((each) => ({ name: fields.name(batch.attributes[each]!), at: each, added: undefined }));
  const all = [...own, ...attributes.map((added) => ({ name: added.name, at: 0, added }))];
  all.sort((a, b) => compareNames(a.name, b.name));
  batch.spans[row + Span.attributes] = batch.attributeCount;
  batch.spans[row + Span.attributeCount] = all.length;
  for (const { at: from, added } of all) {
    const to = batch.attributeCount++ * Attribute.stride;
    if (to + Attribute.stride > batch.attributes.length) batch.attributes = larger(batch.attributes);
    if (added === undefined) batch.attributes.copyWithin(to, from, from + Attribute.stride);
    else write(batch.attributes, to, fields, added, textAt);
  }
}

function write(
  rows: Int32Array,
  at: number,
  fields: FieldTable,
  { name, letter, text }: KeyedAttribute,
  textAt: (text: Buffer) => number,
): void {
  const nameBytes = Buffer.from(name);
  const bytes = Buffer.from(text);
  const type = typeOfLetter(letter.charCodeAt(0));
  rows[at + Attribute.field] = fields.internBytes(nameBytes, 0, nameBytes.length);
  rows[at + Attribute.type] = type;
  rows[at + Attribute.value] = type === ValueType.bool ? Number(text.startsWith('t')) : textAt(bytes);
  rows[at + Attribute.length] = bytes.length;
}
