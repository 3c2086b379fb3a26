import { createHash } from 'node:crypto';

/** Nesting past which canonical JSON stops; deeper values are written as null. */
const depthMax = 64;

/** Lower-case hex SHA-256 of a text. */
export function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

/** The first 16 hex digits of SHA-256: enough to see that two values are the same, not to find what they were. */
export function shortHash(text: string): string {
  return sha256(text).slice(0, 16);
}

/**
 * JSON Canonicalization Scheme: keys sorted by UTF-16 code units, no white space, ECMAScript numbers.
 * https://www.rfc-editor.org/rfc/rfc8785 – values JSON has no form for (functions, undefined, NaN, cycles past the depth
 * bound) become null or are left out of objects, as JSON.stringify does.
 */
export function canonicalJson(value: unknown, depth = 0): string {
  if (depth > depthMax) return 'null';
  if (typeof value === 'string' || typeof value === 'boolean') return JSON.stringify(value);
  if (typeof value === 'number') return Number.isFinite(value) ? JSON.stringify(value) : 'null';
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return 'null';
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item, depth + 1)).join(',')}]`;
  const record = value as Record<string, unknown>;
  const members = Object.keys(record)
    .filter((key) => record[key] !== undefined && typeof record[key] !== 'function')
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(record[key], depth + 1)}`);
  return `{${members.join(',')}}`;
}

/** One tool as offered to a model, whatever SDK it came from. */
export interface ToolDefinition {
  readonly name: string;
  readonly type?: string;
  readonly description?: string | undefined;
  /** JSON Schema of the arguments. */
  readonly parameters?: unknown;
  /** MCP annotations (`readOnlyHint` …). */
  readonly annotations?: unknown;
}

/**
 * SHA-256 over canonical JSON of name, description, input schema and annotations: a changed description ("rug pull")
 * changes the hash, the order of keys does not.
 */
export function toolDefinitionHash(tool: ToolDefinition): string {
  const { name, description, parameters, annotations } = tool;
  return sha256(canonicalJson({ name, description, inputSchema: parameters, annotations }));
}
