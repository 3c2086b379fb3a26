import { hash } from 'node:crypto';
import { isList, type Value } from '../model/value.ts';
import { isMap, member, parsedValue, textMember, walkScalars } from './json-value.ts';

const toolsMax = 256;
/** No schema nests deeper. */
const depthMax = 64;

/**
 * The tools of `gen_ai.tool.definitions`, each as `<name> <16 hex digits of the hash of its definition>`. Definitions are in any
 * shape that `canonicalDefinitions` knows; keys are sorted and runs of white space are one space, so that only what a model reads
 * decides. From OTel 1.41 a list may hold names alone: those have no definition to follow, and no hash.
 */
export function definitionHashes(definitions: Value | undefined): string[] {
  return canonicalDefinitions(definitions).flatMap((definition) => {
    const name = textMember(definition, 'name')!;
    if (Object.keys(definition as object).every((key) => key === 'name' || key === 'type')) return [];
    const { type: _, ...read } = definition as Record<string, Value>;
    return [`${name} ${hash('sha256', sorted(read)).slice(0, 16)}`];
  });
}

/**
 * Definitions as OTel writes them, `{type, name, description, parameters}`: OpenAI puts them into `function`, MCP and the AI SDK say
 * `inputSchema`, Anthropic `input_schema`, Gemini `functionDeclarations`; some encode each as JSON. Further members are kept,
 * because a model may read them.
 */
export function canonicalDefinitions(definitions: Value | undefined): readonly Value[] {
  return listed(parsedValue(definitions), 0).slice(0, toolsMax).flatMap(canonicalDefinition);
}

/** Lists in lists, and lists in the members that hold them. */
function listed(value: Value | undefined, depth: number): Value[] {
  if (value === undefined || value === null || depth > 4) return [];
  if (isList(value)) return value.slice(0, toolsMax).flatMap((each) => listed(parsedValue(each), depth + 1));
  const inner =
    member(value, 'tools') ?? member(value, 'functionDeclarations') ?? member(value, 'function_declarations');
  if (inner !== undefined && inner !== null && isList(inner)) return listed(inner, depth + 1);
  const wrapped = member(value, 'tool') ?? member(value, 'json_schema');
  if (wrapped !== undefined && textMember(value, 'name') === undefined) return listed(parsedValue(wrapped), depth + 1);
  return [value];
}

function canonicalDefinition(tool: Value): Value[] {
  const inner = member(tool, 'function');
  const definition = isMap(inner) ? inner : tool;
  const name = textMember(definition, 'name');
  if (name === undefined || !isMap(definition)) return [];
  const canonical: Record<string, Value> = Object.create(null);
  canonical.type = textMember(tool, 'type') ?? 'function';
  for (const [key, value] of Object.entries(definition)) {
    if (key === 'strict' || key === 'type') continue;
    canonical[schemaKeys.has(key) ? 'parameters' : key] = schemaKeys.has(key) ? (parsedValue(value) ?? null) : value;
  }
  return [canonical];
}

const schemaKeys = new Set(['parameters', 'inputSchema', 'input_schema', 'parametersJsonSchema']);

function sorted(value: Value, depth = 0): string {
  if (typeof value === 'string') return JSON.stringify(value.replace(/\s+/g, ' ').trim());
  if (value === null || typeof value !== 'object') return String(value);
  if (depth > depthMax) return 'null';
  if (isList(value)) return `[${value.map((each) => sorted(each, depth + 1)).join(',')}]`;
  const members = isMap(value) ? Object.entries(value) : [];
  return `{${members
    .map(([key, inner]) => `${JSON.stringify(key)}:${sorted(inner, depth + 1)}`)
    .sort()
    .join(',')}}`;
}

/** Names, descriptions and the descriptions inside schemas: all a poisoned definition can speak with. */
export function definitionTexts(definitions: Value | undefined, description: string): string[] {
  const found: string[] = [];
  if (definitions !== undefined) {
    walkScalars(definitions, (scalar, path) => {
      if (typeof scalar === 'string' && /(?:^|\.)(?:name|description|title)$/.test(path)) found.push(scalar);
    });
  }
  if (description !== '') found.push(description);
  return found;
}
