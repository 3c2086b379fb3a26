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

/** Value as JSON with integers exact to 64 bits, which JSON.stringify refuses. What nests deeper than a decoder allows is `null`. */
export function valueJson(value: Value, depth = 0): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : `"${value}"`;
  if (depth > depthMax) return 'null';
  if (isList(value)) return `[${value.map((member) => valueJson(member, depth + 1)).join(',')}]`;
  return `{${Object.entries(value)
    .map(([key, member]) => `${JSON.stringify(key)}:${valueJson(member, depth + 1)}`)
    .join(',')}}`;
}

/** JSON in texts of senders may nest deeper than what a decoder lets through, and must not exhaust the stack. */
const depthMax = 256;

/** Array.isArray for readonly lists, which TypeScript does not narrow by itself. */
export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}
