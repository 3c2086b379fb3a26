import { hash } from 'node:crypto';
import { isList, type Value } from '../model/value.ts';
import { isMap, member, parsedValue, textMember } from './json-value.ts';

const toolsMax = 256;

/**
 * The tools of `gen_ai.tool.definitions`, each as `<name> <16 hex digits of the hash of its definition>`. Definitions are in the
 * shape of OTel, of OpenAI (`function` inside) or of MCP; keys are sorted and runs of white space are one space, so that only what a
 * model reads decides.
 */
export function definitionHashes(definitions: Value | undefined): string[] {
  const parsed = parsedValue(definitions);
  if (parsed === undefined || parsed === null) return [];
  const list = isList(parsed) ? parsed : (member(parsed, 'tools') ?? parsed);
  const tools = list !== null && isList(list) ? list : [list];
  return tools.slice(0, toolsMax).flatMap((tool) => {
    const definition = member(tool, 'function') ?? tool;
    const name = textMember(definition, 'name');
    return name === undefined ? [] : [`${name} ${hash('sha256', canonical(definition)).slice(0, 16)}`];
  });
}

function canonical(value: Value): string {
  if (typeof value === 'string') return JSON.stringify(value.replace(/\s+/g, ' ').trim());
  if (value === null || typeof value !== 'object') return String(value);
  if (isList(value)) return `[${value.map(canonical).join(',')}]`;
  const members = isMap(value) ? Object.entries(value) : [];
  return `{${members
    .map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`)
    .sort()
    .join(',')}}`;
}
