import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OcsfVersion } from '../ocsf-version.ts';

interface Attribute {
  readonly type: 'string' | 'integer' | 'boolean' | 'json' | 'object';
  readonly object?: string;
  readonly array?: true;
  readonly required?: true;
  readonly enum?: readonly number[];
}

interface Excerpt {
  readonly version: string;
  readonly objects: Readonly<
    Record<
      string,
      {
        readonly attributes: Readonly<Record<string, Attribute>>;
        readonly at_least_one?: readonly string[];
        readonly open?: true;
      }
    >
  >;
}

/**
 * What is wrong with a Detection Finding by the schema of a version: unknown and missing attributes, types, numbers that are none of an
 * enumeration, and constraints. The schemas are excerpts: the attributes that we write, and all that are required.
 */
export function ocsfProblems(document: unknown, version: OcsfVersion): string[] {
  const excerpt = JSON.parse(readFileSync(join(import.meta.dirname, `ocsf-${version}.json`), 'utf8')) as Excerpt;
  return problemsOf(document, 'detection_finding', excerpt, '');
}

function problemsOf(value: unknown, name: string, excerpt: Excerpt, way: string): string[] {
  const schema = excerpt.objects[name];
  if (schema === undefined) return [`${way}: no object ${name} in the excerpt`];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${way}: no ${name}`];
  if (schema.open === true) return [];
  const missing = Object.entries(schema.attributes)
    .filter(([attribute, { required }]) => required === true && !(attribute in value))
    .map(([attribute]) => `${way}: lacks ${attribute}`);
  const oneOf = schema.at_least_one;
  const none =
    oneOf === undefined || oneOf.some((attribute) => attribute in value) ? [] : [`${way}: lacks one of ${oneOf}`];
  const wrong = Object.entries(value).flatMap(([attribute, member]) =>
    attributeProblems(member, schema.attributes[attribute], excerpt, `${way}.${attribute}`),
  );
  return [...missing, ...none, ...wrong];
}

function attributeProblems(value: unknown, attribute: Attribute | undefined, excerpt: Excerpt, way: string): string[] {
  if (attribute === undefined) return [`${way}: not in ${excerpt.version}, or not in the excerpt`];
  if ((attribute.array === true) !== Array.isArray(value))
    return [`${way}: an array where none belongs, or none where one does`];
  return (Array.isArray(value) ? value : [value]).flatMap((item) => {
    if (attribute.type === 'object') return problemsOf(item, attribute.object ?? '', excerpt, way);
    if (attribute.type === 'json') return [];
    const isRight = attribute.type === 'integer' ? Number.isInteger(item) : typeof item === attribute.type;
    if (!isRight) return [`${way}: ${JSON.stringify(item)} is no ${attribute.type}`];
    return attribute.enum === undefined || attribute.enum.includes(item as number)
      ? []
      : [`${way}: ${item} has no meaning`];
  });
}
