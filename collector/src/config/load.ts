import { existsSync, readFileSync, statSync } from 'node:fs';
import type { core } from 'zod';
import { didYouMean } from '../detect/report.ts';
import { type Problem, SpanwardenError } from '../model/errors.ts';
import { type ConfigDocument, type Path, readConfigDocument } from './document.ts';
import { type Config, configJsonSchema, configSchema, type JsonSchema } from './schema.ts';

/** The file that is read when none is named and it exists in the working directory. */
export const defaultConfigFile = 'spanwarden.yaml';

export interface LoadConfigOptions {
  /** A file to read; it must exist. */
  readonly file?: string | undefined;
  /** YAML to read instead of a file; `file` is then only its name in messages. */
  readonly text?: string;
  /** Where `${env:NAME}` looks, usually process.env. */
  readonly env: NodeJS.ProcessEnv;
}

const fileBytesMax = 1024 * 1024;

/**
 * Reads and checks the configuration: a named file, a text, or `spanwarden.yaml` in the working directory when there is
 * one, or else the defaults. Throws one SpanwardenError with every problem, each with its place.
 */
export function loadConfig(options: LoadConfigOptions): Config {
  const { file, text } = readSource(options);
  const document = readConfigDocument(file, text, options.env);
  const checked = check(document);
  const problems = [...document.problems, ...checked.problems].sort(byPosition);
  if (problems.length > 0) throw new SpanwardenError(problems);
  return deepFreeze(checked.config as Config);
}

function readSource(options: LoadConfigOptions): { file: string; text: string } {
  const file = options.file ?? defaultConfigFile;
  if (options.text !== undefined) return { file, text: options.text };
  if (options.file === undefined && !existsSync(file)) return { file, text: '' };
  try {
    if (statSync(file).size <= fileBytesMax) return { file, text: readFileSync(file, 'utf8') };
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new SpanwardenError({
      code: 'SW_CONFIG_FILE',
      message: `the config file ${file} cannot be read (${reason})`,
      advice: 'Name an existing file with --config, or leave it out to run with the defaults.',
    });
  }
  throw new SpanwardenError({
    code: 'SW_CONFIG_FILE',
    message: `the config file ${file} is larger than ${fileBytesMax} bytes`,
    advice: 'See docs/configuration.md for what belongs into it.',
  });
}

interface Checked {
  readonly config?: Config;
  readonly problems: readonly Problem[];
}

function check(document: ConfigDocument): Checked {
  let result = configSchema.safeParse(document.value);
  if (result.success) return { config: result.data, problems: [] };
  const mended = result.error.issues.filter((issue) => mend(document, issue));
  if (mended.length > 0) result = configSchema.safeParse(document.value);
  if (result.success) return { config: result.data, problems: [] };
  const schema = configJsonSchema();
  return { problems: result.error.issues.flatMap((issue) => problemsOf(document, schema, issue, issue.path)) };
}

/**
 * Two things YAML cannot say: that the text out of a reference is meant as a number or boolean, and that a section
 * without content (`receive:`) is an empty section and not null. The schema knows what is wanted, so they are mended here.
 */
function mend(document: ConfigDocument, issue: core.$ZodIssue): boolean {
  if (issue.code !== 'invalid_type') return false;
  const parent = at(document.value, issue.path.slice(0, -1));
  const key = issue.path.at(-1);
  if (key === undefined || typeof parent !== 'object' || parent === null) return false;
  const container = parent as Record<PropertyKey, unknown>;
  const value = container[key];
  const wanted =
    value === null && ['object', 'record'].includes(issue.expected)
      ? Object.create(null)
      : typed(issue.expected, value);
  if (wanted === undefined || (value !== null && !document.isResolved(issue.path))) return false;
  container[key] = wanted;
  return true;
}

function typed(expected: string, value: unknown): number | boolean | undefined {
  if (typeof value !== 'string') return undefined;
  if (expected === 'boolean') return value === 'true' ? true : value === 'false' ? false : undefined;
  if (expected !== 'number' && expected !== 'int') return undefined;
  return /^[-+]?\d+(\.\d+)?$/.test(value) ? Number(value) : undefined;
}

function problemsOf(document: ConfigDocument, schema: JsonSchema, issue: core.$ZodIssue, path: Path): Problem[] {
  if (document.isFailed(path)) return [];
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(schema, document.value, path);
    return issue.keys.map((key) => unknownKey(document, known, [...path, key]));
  }
  if (issue.code === 'invalid_key') return [wrongKey(document, issue, path)];
  if (issue.code === 'invalid_union' && issue.errors.length === 0) return [wrongKind(document, issue, path)];
  const nearest = issue.code === 'invalid_union' ? nearestBranch(issue.errors) : undefined;
  if (nearest !== undefined) {
    return nearest.flatMap((inner) => problemsOf(document, schema, inner, [...path, ...inner.path]));
  }
  const name = path.join('.');
  const message = issue.message.replace(/^Invalid input: |^Invalid (option|string): |^Too (big|small): /, '');
  const advice = schemaAt(schema, document.value, path)?.description;
  return [
    {
      code: 'SW_CONFIG_VALUE',
      message: name === '' ? message : `${name}: ${message}`,
      position: document.positionOf(path),
      ...(advice !== undefined && { advice }),
    },
  ];
}

function unknownKey(document: ConfigDocument, known: readonly string[], path: Path): Problem {
  const key = String(path.at(-1));
  const section = path.slice(0, -1).join('.');
  const near = didYouMean(key.replaceAll(/[-\s]/g, '_'), known);
  return {
    code: 'SW_CONFIG_KEY',
    message: `unknown key ${JSON.stringify(key)}${section === '' ? '' : ` in ${section}`}`,
    position: document.positionOfKey(path),
    advice: near === undefined ? `Known here: ${known.join(', ')}.` : `Did you mean ${near}?`,
  };
}

/** A name that somebody chose, in a form that it must not have. */
function wrongKey(document: ConfigDocument, issue: core.$ZodIssueInvalidKey, path: Path): Problem {
  return {
    code: 'SW_CONFIG_KEY',
    message: `${path.join('.')}: ${issue.issues[0]?.message ?? issue.message}`,
    position: document.positionOfKey(path),
  };
}

/** One of several kinds of sections, named wrongly or not at all. */
function wrongKind(document: ConfigDocument, issue: core.$ZodIssueInvalidUnion, path: Path): Problem {
  const known = 'options' in issue ? (issue.options ?? []).map(String) : [];
  const value = at(document.value, path);
  const near = typeof value === 'string' ? didYouMean(value.toLowerCase(), known) : undefined;
  const message = value === undefined ? 'is missing' : 'is of no known kind';
  return {
    code: 'SW_CONFIG_VALUE',
    message: `${path.join('.')}: ${message}`,
    position: document.positionOf(path),
    advice: near === undefined ? `Known here: ${known.join(', ')}.` : `Did you mean ${near}?`,
  };
}

/** Of a union's alternatives the one that got furthest: with the fewest issues. */
function nearestBranch(branches: readonly (readonly core.$ZodIssue[])[]): readonly core.$ZodIssue[] | undefined {
  return [...branches].sort((a, b) => a.length - b.length)[0];
}

function knownKeys(schema: JsonSchema, value: unknown, path: Path): readonly string[] {
  return Object.keys(schemaAt(schema, value, path)?.properties ?? {});
}

/** The schema of a path in a document: of sections of several kinds that of the kind that stands there. */
function schemaAt(schema: JsonSchema, value: unknown, path: Path): JsonSchema | undefined {
  let current: JsonSchema | undefined = schema;
  for (const [depth, key] of path.entries()) {
    const rest: JsonSchema | boolean | undefined = current?.additionalProperties;
    current = typeof key === 'number' ? current?.items : current?.properties?.[String(key)];
    if (current === undefined && typeof rest === 'object') current = rest;
    if (current?.oneOf !== undefined) current = kindOf(current.oneOf, at(value, path.slice(0, depth + 1)));
  }
  return current;
}

function kindOf(kinds: readonly JsonSchema[], value: unknown): JsonSchema | undefined {
  const members = (value ?? {}) as Readonly<Record<string, unknown>>;
  return kinds.find(({ properties = {} }) =>
    Object.entries(properties).some(([key, { const: wanted }]) => wanted !== undefined && members[key] === wanted),
  );
}

function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((current, key) => (current as Record<PropertyKey, unknown> | undefined)?.[key], value);
}

function byPosition(a: Problem, b: Problem): number {
  const [first, second] = [a.position, b.position];
  if (first === undefined || second === undefined) return 0;
  return first.line - second.line || first.column - second.column;
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}
