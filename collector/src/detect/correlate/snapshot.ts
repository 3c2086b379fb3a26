/**
 * Plain data as bytes and back: JSON in which integers beyond numbers, maps and shared objects keep what they are. Objects
 * with a `spanId` stand in many windows at once; they are written once.
 */
export function encodeState(state: unknown): Uint8Array {
  const shared: object[] = [];
  const places = new Map<object, number>();
  const tagged = (value: unknown): unknown => {
    if (typeof value === 'bigint') return { $: 'n', v: String(value) };
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(tagged);
    if (value instanceof Map) return { $: 'm', v: [...value].map(tagged) };
    if (!('spanId' in value)) return members(value);
    const place = places.get(value) ?? shared.push(value) - 1;
    places.set(value, place);
    return { $: 's', v: place };
  };
  const members = (value: object): object =>
    Object.fromEntries(Object.entries(value).map(([key, member]) => [key, tagged(member)]));
  const body = tagged(state);
  return Buffer.from(JSON.stringify({ shared: shared.map(members), body }));
}

/** Throws a SyntaxError or TypeError on bytes that `encodeState` did not write. */
export function decodeState(bytes: Uint8Array): unknown {
  const written = JSON.parse(Buffer.from(bytes).toString()) as { shared: object[]; body: unknown };
  const plain = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(plain);
    if (!('$' in value)) return members(value);
    const { $, v } = value as unknown as { $: string; v: unknown };
    if ($ === 'n') return BigInt(v as string);
    return $ === 'm' ? new Map((v as unknown[]).map(plain) as [unknown, unknown][]) : shared[v as number];
  };
  const members = (value: object): object =>
    Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
  const shared: object[] = written.shared.map(members);
  return plain(written.body);
}
