/** A member of OTLP/JSON by its name in lowerCamelCase, which is what the specification asks for; the OpenTelemetry Collector takes snake_case, too. */
export interface JsonKey {
  readonly name: string;
  /** What a tape has in place of the name; 0 is any other name. */
  readonly code: number;
  /** The same for snake_case; that of `name` where the two are alike. */
  readonly snakeCode: number;
  /** What stands for both codes in the set of names that an object has. */
  readonly bit: number;
}

const names = [
  ...['resourceSpans', 'resourceMetrics', 'resourceLogs', 'resource', 'schemaUrl'],
  ...['scopeSpans', 'scopeMetrics', 'scopeLogs', 'scope', 'version'],
  ...['instrumentationLibrarySpans', 'instrumentationLibraryMetrics', 'instrumentationLibraryLogs'],
  ...['spans', 'metrics', 'logRecords', 'attributes', 'key', 'value', 'values'],
  ...['stringValue', 'boolValue', 'intValue', 'doubleValue', 'arrayValue', 'kvlistValue', 'bytesValue'],
  ...['traceId', 'spanId', 'traceState', 'parentSpanId', 'name', 'kind', 'startTimeUnixNano', 'endTimeUnixNano'],
  ...['events', 'links', 'status', 'flags', 'timeUnixNano', 'message', 'code'],
  ...['observedTimeUnixNano', 'severityNumber', 'severityText', 'body', 'eventName'],
  ...['description', 'unit', 'gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'],
  ...['dataPoints', 'aggregationTemporality', 'isMonotonic', 'asDouble', 'asInt', 'count'],
  ...['bucketCounts', 'explicitBounds', 'min', 'max', 'scale', 'zeroCount', 'positive', 'negative', 'offset'],
  ...['quantileValues', 'quantile', 'exemplars', 'filteredAttributes'],
] as const;

type Name = (typeof names)[number];

/** Every member that is read, by its name. */
export const keys = Object.fromEntries(names.map((name, at) => [name, keyOf(name, at)])) as Readonly<
  Record<Name, JsonKey>
>;

function keyOf(name: string, at: number): JsonKey {
  const code = at * 2 + 1;
  return { name, code, snakeCode: snakeCase(name) === name ? code : code + 1, bit: bitOfCode(code) };
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

const spellings = new Map<string, number>();
for (const { name, code, snakeCode } of Object.values<JsonKey>(keys)) {
  spellings.set(name, code);
  spellings.set(snakeCase(name), snakeCode);
}

/** By hash: the spellings that have it, mostly one. */
const slots: (readonly { readonly bytes: Uint8Array; readonly code: number }[])[] = Array.from(
  { length: 1024 },
  () => [],
);
for (const [spelling, code] of spellings) {
  const bytes = Buffer.from(spelling);
  const slot = slotOf(bytes.reduce(nextHash, 0));
  slots[slot] = [...slots[slot]!, { bytes, code }];
}

/** The code of the name that stands in these bytes, which have no escapes; 0 for one that nobody reads. @param hash of them, byte by byte */
export function codeOfBytes(bytes: Uint8Array, start: number, end: number, hash: number): number {
  const slot = slots[slotOf(hash)]!;
  for (let i = 0; i < slot.length; i++) {
    const { bytes: known, code } = slot[i]!;
    if (known.length !== end - start) continue;
    let at = 0;
    while (at < known.length && known[at] === bytes[start + at]) at++;
    if (at === known.length) return code;
  }
  return 0;
}

/** The same for a name that was written with escapes. */
export function codeOfName(name: string): number {
  return spellings.get(name) ?? 0;
}

/** The bit of a code in a set of 32, in which some names share one. */
export function bitOfCode(code: number): number {
  return 1 << ((code - 1) >> 1);
}

/** The name of a code, in lowerCamelCase. */
export function nameOfCode(code: number): string {
  return names[(code - 1) >> 1] ?? '';
}

/** A hash of names that begins at 0, one byte further. */
export function nextHash(hash: number, byte: number): number {
  return (Math.imul(hash, 31) + byte) | 0;
}

function slotOf(hash: number): number {
  return (hash ^ (hash >>> 10)) & 1023;
}
