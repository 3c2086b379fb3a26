import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type ParsedNode, parseAllDocuments } from 'yaml';
import type { ErrorCode, Position } from '../model/errors.ts';
import { limits } from '../model/limits.ts';
import type { Report } from './report.ts';
import type { YamlEntry, YamlMap, YamlNode, YamlScalar, YamlScalarValue } from './yaml.ts';

/**
 * Reads any YAML and reports everything that is wrong with it, with its place: the parser goes on after an error. What
 * `readEvents` reads is read the same here, ten times as slowly.
 */
export function readDocuments(file: string, text: string, report: Report, code: ErrorCode): YamlNode[] {
  const lines = new LineCounter();
  let documents: readonly Document.Parsed[];
  try {
    const options = { version: '1.2', schema: 'core', merge: false, uniqueKeys: true, intAsBigInt: true } as const;
    const parsed = parseAllDocuments(text, { ...options, lineCounter: lines, prettyErrors: false });
    documents = Array.isArray(parsed) ? parsed : [];
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    report.error(code, { file, line: 1, column: 1 }, ...tooDeep);
    return [];
  }
  const at = (offset: number): Position => {
    const place = lines.linePos(offset);
    return { file, line: Math.max(place.line, 1), column: Math.max(place.col, 1) };
  };
  const budget = { nodes: limits.ruleNodesMax };
  const nodes: YamlNode[] = [];
  for (const document of documents) {
    const node = readDocument({ document, at, report, code, budget });
    if (node && !(node.kind === 'scalar' && node.value === null)) nodes.push(node);
  }
  return nodes;
}

interface Reading {
  readonly document: Document.Parsed;
  readonly at: (offset: number) => Position;
  readonly report: Report;
  readonly code: ErrorCode;
  readonly budget: { nodes: number };
  /** The alias whose anchor is read. */
  readonly alias?: Position;
}

function readDocument(reading: Reading): YamlNode | undefined {
  const { document, at, report, code } = reading;
  for (const error of document.errors) report.error(code, at(error.pos[0]), ...syntaxMessage(error));
  const isBroken = document.errors.length > 0;
  if (document.errors.some(({ code: kind }) => kind !== 'DUPLICATE_KEY')) return undefined;
  const version = document.directives?.yaml;
  if (version?.explicit && version.version !== '1.2') {
    report.error(code, at(document.range[0]), 'only YAML 1.2 is read', 'Remove the %YAML line.');
    return undefined;
  }
  if (document.contents === null) return undefined;
  const before = report.errors.length;
  const node = readNode(reading, document.contents, 0);
  if (report.errors.length > before) return undefined;
  return isBroken && node?.kind === 'map' ? { ...node, isBroken } : node;
}

function readNode(reading: Reading, source: ParsedNode, depth: number): YamlNode | undefined {
  const { at, report, code, budget } = reading;
  const position = at(source.range[0]);
  if (--budget.nodes < 0) {
    const advice =
      'Write values out instead of aliases of aliases, split the file, or move long lists into list files.';
    const message = `the file has more than ${limits.ruleNodesMax} YAML nodes, counting each alias as what it stands for`;
    if (budget.nodes === -1) report.error(code, reading.alias ?? position, message, advice);
    return undefined;
  }
  if (depth > limits.ruleNestingDepthMax) {
    report.error(code, position, ...tooDeep);
    return undefined;
  }
  if (source.tag !== undefined) {
    report.error(
      code,
      position,
      `the YAML tag ${source.tag} is not allowed`,
      'Remove it; quote the value to make it text.',
    );
    return undefined;
  }
  if (isAlias(source)) return readAlias(reading, source, depth, position);
  if (isScalar(source)) return readScalar(reading, source, position);
  if (isSeq(source)) {
    const items = source.items.map((item) => readNode(reading, item as ParsedNode, depth + 1));
    return { kind: 'list', items: items.filter((item) => item !== undefined), at: position };
  }
  if (isMap(source)) return readMap(reading, source, depth, position);
  return undefined;
}

function readAlias(reading: Reading, source: ParsedNode, depth: number, position: Position): YamlNode | undefined {
  const target = isAlias(source) ? source.resolve(reading.document) : undefined;
  if (!target) {
    reading.report.error(
      reading.code,
      position,
      'the alias names no anchor of this document',
      'Quote the value to make it text.',
    );
    return undefined;
  }
  return readNode({ ...reading, alias: reading.alias ?? position }, target as ParsedNode, depth + 1);
}

function readMap(reading: Reading, source: ParsedNode, depth: number, position: Position): YamlMap {
  const entries: YamlEntry[] = [];
  for (const pair of isMap(source) ? source.items : []) {
    const key = pair.key as ParsedNode;
    const keyAt = key ? reading.at(key.range[0]) : position;
    if (!isScalar(key)) {
      reading.report.error(reading.code, keyAt, 'a key must be plain text', 'Quote the key.');
      continue;
    }
    if (key.tag !== undefined) {
      reading.report.error(reading.code, keyAt, `the YAML tag ${key.tag} is not allowed`, 'Remove it.');
      continue;
    }
    const none: YamlScalar = { kind: 'scalar', value: null, plain: true, at: keyAt };
    const value = pair.value ? readNode(reading, pair.value as ParsedNode, depth + 1) : none;
    if (value) entries.push({ key: typeof key.value === 'string' ? key.value : (key.source ?? ''), keyAt, value });
  }
  return { kind: 'map', entries, at: position };
}

function readScalar(reading: Reading, source: ParsedNode, at: Position): YamlScalar | undefined {
  if (!isScalar(source)) return undefined;
  const { report, code } = reading;
  const plain = source.type === 'PLAIN';
  const value = smallest(source.value);
  if (typeof value === 'string' && value.length > limits.ruleValueCharsMax * 4) {
    const message = `the value is longer than ${limits.ruleValueCharsMax * 4} characters`;
    report.error(code, at, message, 'Match a part of it that says enough.');
    return undefined;
  }
  if (plain && /^(?:y|yes|n|no|on|off)$/i.test(source.source ?? '')) {
    report.warn(
      code,
      at,
      `${source.source} is text here but a boolean for YAML 1.1 tools`,
      'Quote it, or write true or false.',
    );
  }
  if (plain && /^[-+]?0\d+$/.test(source.source ?? '')) {
    report.warn(
      code,
      at,
      `${source.source} is decimal here but octal for YAML 1.1 tools`,
      'Quote it or drop the zero.',
    );
  }
  return { kind: 'scalar', value, plain, at };
}

function smallest(value: unknown): YamlScalarValue {
  if (typeof value === 'bigint') {
    return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
  }
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  return null;
}

type Words = readonly [message: string, advice?: string];

function syntaxMessage({ code, message }: Document.Parsed['errors'][number]): Words {
  if (code === 'DUPLICATE_KEY') {
    return ['the key occurs twice in the same map', 'Give the second a list of values, or a selection of its own.'];
  }
  // The parser reports the end of its own stack as an error of the text.
  if (/call stack/i.test(message)) return tooDeep;
  return [message.split('\n', 1)[0] ?? ''];
}

const tooDeep: Words = [`the YAML is nested deeper than ${limits.ruleNestingDepthMax} levels`, 'Flatten it.'];
