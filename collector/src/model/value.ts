/** An attribute value after decoding. Integers beyond 2^53 are bigint; OTel maps become ValueMap; bytes become base64 text. */
export type Value = string | number | bigint | boolean | null | readonly Value[] | ValueMap;

/** A null-prototype object: keys come from senders, so `__proto__` must be an ordinary key. */
export interface ValueMap {
  readonly [key: string]: Value;
}

/** A value as one line of text: the form rules match, ClickHouse stores and findings show. Arrays and maps become JSON. */
export function valueText(value: Value): string {
  if (typeof value === 'string') return value;
  if (value === null) return '';
  return typeof value === 'object' ? valueJson(value) : String(value);
}

/** Value as JSON with integers exact to 64 bits, which JSON.stringify refuses. Depth is bounded by the decoder. */
export function valueJson(value: Value): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : `"${value}"`;
  if (isList(value)) return `[${value.map(valueJson).join(',')}]`;
  return `{${Object.entries(value)
    .map(([key, member]) => `${JSON.stringify(key)}:${valueJson(member)}`)
    .join(',')}}`;
}

/** Array.isArray for readonly lists, which TypeScript does not narrow by itself. */
export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}
