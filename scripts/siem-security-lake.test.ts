import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { parquetMetadata, parquetSchema } from 'hyparquet';
import { loadConfig } from '../collector/src/config/load.ts';
import { openFormat } from '../collector/src/export/formats/index.ts';
import type { OcsfVersion } from '../collector/src/export/formats/ocsf-version.ts';
import { context, findingEvent } from '../collector/src/export/formats/testing/events.ts';
import { ocsfColumns } from '../collector/src/export/parquet/ocsf-columns.ts';
import { parquetOf } from '../collector/src/export/parquet/write.ts';
import { ocsfLeaves } from './parquet-columns.ts';
import { repositoryRoot } from './repository.ts';

// The tables for Athena against what stands in the footer of a file, and the queries against the tables.

const folder = join(repositoryRoot, 'collector', 'siem', 'security-lake');
const textOf = (name: string): string => readFileSync(join(folder, name), 'utf8');

/** Leaves of a statement's columns, with their types: `finding_info.types[] string`. */
function leavesOfTable(sql: string): string[] {
  const [, columns = ''] = /spanwarden_findings \(\n([\s\S]*?)\n\)/.exec(sql) ?? [];
  return columns.split(/,\n/).flatMap((column) => {
    const [, name = '', type = ''] = /^ {2}`(\w+)` (\S+)$/.exec(column) ?? [];
    return leavesOfType(name, type);
  });
}

function leavesOfType(path: string, type: string): string[] {
  const [, kind, inside = ''] = /^(struct|array)<(.*)>$/.exec(type) ?? [];
  if (kind === 'array') return leavesOfType(`${path}[]`, inside);
  if (kind !== 'struct') return [`${path} ${type}`];
  return topLevelParts(inside).flatMap((member) => {
    const [, name = '', of = ''] = /^`(\w+)`:(.*)$/.exec(member) ?? [];
    return leavesOfType(`${path}.${name}`, of);
  });
}

/** What commas part that stand in no angle brackets. */
function topLevelParts(text: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const character of text) {
    if (character === '<') depth += 1;
    if (character === '>') depth -= 1;
    if (character === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts;
}

const types: Readonly<Record<string, string>> = {
  BYTE_ARRAY: 'string',
  INT32: 'int',
  INT64: 'bigint',
  BOOLEAN: 'boolean',
};

type Tree = ReturnType<typeof parquetSchema>;

/** The same of a file, from its footer. */
function leavesOfFile(version: OcsfVersion): string[] {
  const body = openFormat('ocsf', { ocsfVersion: version }).encode(findingEvent, context);
  const file = parquetOf([Buffer.from(body)], ocsfColumns(version), 'test');
  const metadata = parquetMetadata(file.buffer.slice(file.byteOffset, file.byteOffset + file.length) as ArrayBuffer);
  const walk = ({ element, children }: Tree, path: string): string[] => {
    if (element.converted_type === 'MAP') return [`${path} map<string,string>`];
    if (element.converted_type === 'LIST') return walk(children[0]!.children[0]!, `${path}[]`);
    if (children.length === 0) return [`${path} ${types[element.type ?? '']}`];
    return children.flatMap((child) => walk(child, path === '' ? child.element.name : `${path}.${child.element.name}`));
  };
  return walk(parquetSchema(metadata), '');
}

test('the tables have the columns of the files, with their types', () => {
  for (const [name, version] of [
    ['bucket-table.sql', '1.9'],
    ['security-lake-table.sql', '1.1'],
  ] as const) {
    const leaves = leavesOfTable(textOf(name));
    assert.ok(leaves.length > 60, `${leaves.length} columns`);
    assert.deepEqual(leaves, leavesOfFile(version));
  }
});

test('the page of formats lists them', () => {
  const listed = ocsfLeaves().map(({ path, type }) => `${path} ${type.replace(', JSON', '')}`);
  assert.deepEqual(listed, leavesOfFile('1.9'));
  const missing = ocsfLeaves().filter(({ since }) => since !== '');
  const before = new Set(leavesOfFile('1.1'));
  assert.deepEqual(
    leavesOfFile('1.9').filter((leaf) => !before.has(leaf)),
    missing.map(({ path, type }) => `${path} ${type}`),
  );
});

test('queries name nothing that is no column', () => {
  const queries = [...textOf('README.md').matchAll(/```sql\n([\s\S]*?)```/g)].map(([, sql = '']) => sql);
  assert.equal(queries.length, 3);
  const known = new Set(ocsfLeaves().flatMap(({ path }) => prefixesOf(path.replaceAll('[]', ''))));
  for (const sql of queries) {
    const named = [...sql.matchAll(/\bf\.([\w."]+)/g)].map(([, path = '']) => path.replaceAll('"', ''));
    assert.ok(named.length > 2);
    for (const path of named) assert.ok(known.has(path) || path === 'dt', path);
  }
});

function prefixesOf(path: string): string[] {
  const parts = path.split('.');
  return parts.map((_, index) => parts.slice(0, index + 1).join('.'));
}

test('the settings on the page are valid', () => {
  const examples = [...textOf('README.md').matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => text);
  assert.equal(examples.length, 2);
  const env = { AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: '0123456789abcdef' };
  for (const text of examples) {
    // As they stand in a step of a list.
    const { destinations } = loadConfig({ text: text.replace(/^ {3}/gm, ''), env }).export;
    assert.equal(Object.keys(destinations).length, 1);
  }
});
