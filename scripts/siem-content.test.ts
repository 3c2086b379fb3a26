import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { type FormatName, openFormat } from '../collector/src/export/formats/index.ts';
import { sentinelColumns } from '../collector/src/export/formats/sentinel.ts';
import { splunkFields, splunkSourcetypes } from '../collector/src/export/formats/splunk.ts';
import { caseEvent, context, findingEvent } from '../collector/src/export/formats/testing/events.ts';
import { levels } from '../collector/src/model/severity.ts';
import { repositoryRoot } from './repository.ts';

// Reads collector/siem as its receivers do, and holds it against what the formats write.

const siem = join(repositoryRoot, 'collector', 'siem');
const textOf = (...path: string[]): string => readFileSync(join(siem, ...path), 'utf8');
const written = (name: FormatName) =>
  [findingEvent, caseEvent].map((event) => JSON.parse(openFormat(name).encode(event, context)));

test('splunk: every stanza parses, and names only fields that the format writes', () => {
  const conf = (name: string) => parseConf(textOf('splunk', 'spanwarden', 'default', `${name}.conf`));
  const props = conf('props');
  assert.deepEqual([...props.keys()], Object.values(splunkSourcetypes));
  const fields = new Set(splunkFields.map(({ name }) => name));
  const lists = splunkFields
    .map(({ name }) => name)
    .filter((name) => written('splunk').some(({ event }) => Array.isArray(event[name])));
  const lookups = conf('transforms');
  for (const settings of props.values()) {
    const evals = [...settings].filter(([key]) => key.startsWith('EVAL-'));
    assert.deepEqual(
      evals.map(([key]) => key.slice('EVAL-'.length)),
      lists,
    );
    for (const [key, value] of evals) assert.equal(value, `'${key.slice('EVAL-'.length)}{}'`);
    const [lookup, input] = (settings.get('LOOKUP-spanwarden_severity') ?? '').split(' ');
    assert.ok(lookups.has(lookup ?? ''));
    assert.ok(fields.has(input ?? ''));
  }
  const [search] = [...conf('eventtypes').values()].map((settings) => settings.get('search') ?? '');
  for (const [, name] of (search ?? '').matchAll(/(\w+)=/g))
    assert.ok(name === 'sourcetype' || fields.has(name ?? ''), name);
  assert.deepEqual(
    [...conf('tags').keys()],
    [...conf('eventtypes').keys()].map((name) => `eventtype=${name}`),
  );
});

test('splunk: the lookup knows every severity', () => {
  const [header, ...rows] = textOf('splunk', 'spanwarden', 'lookups', 'spanwarden_severity.csv').trimEnd().split('\n');
  assert.equal(header, 'severity,risk_score');
  assert.deepEqual(
    rows.map((row) => row.split(',')[0]),
    [...levels],
  );
});

test('elastic: every member that the format writes has a mapping that takes it', () => {
  const template = JSON.parse(textOf('elastic', 'index-template.json'));
  assert.equal(template.template.settings.index.default_pipeline, 'spanwarden.findings');
  for (const document of written('ecs')) {
    const { labels, ...mapped } = document;
    assert.deepEqual(unmapped(mapped, template.template.mappings), []);
    assert.ok(Object.values(labels).every((label) => typeof label === 'string'));
  }
  assert.deepEqual(unmapped({ user: { name: 1 }, event: { start: 1 } }, template.template.mappings), [
    '.user.name',
    '.event.start',
  ]);
  assert.equal(JSON.parse(textOf('elastic', 'ingest-pipeline.json')).processors.length, 1);
});

test('sentinel: table, stream and rows have the same columns', () => {
  const template = JSON.parse(textOf('sentinel', 'azuredeploy.json'));
  const [table, rule] = template.resources;
  const columns = sentinelColumns.map(({ name, type }) => ({ name, type }));
  assert.deepEqual(table.properties.schema.columns, columns);
  const [[stream, declaration]] = Object.entries(rule.properties.streamDeclarations) as [
    [string, { columns: unknown }],
  ];
  assert.equal(stream, `Custom-${table.properties.schema.name}`);
  assert.deepEqual(declaration.columns, columns);
  assert.equal(rule.properties.dataFlows[0].outputStream, stream);
  for (const row of written('sentinel')) {
    assert.deepEqual(
      Object.keys(row),
      columns.map(({ name }) => name),
    );
  }
});

test('sentinel: parsers read columns of the table, and give fields of ASIM', () => {
  const { alert, agent } = JSON.parse(
    readFileSync(join(repositoryRoot, 'collector/src/export/formats/testing/asim-fields.json'), 'utf8'),
  );
  const template = JSON.parse(textOf('sentinel', 'azuredeploy.json'));
  const columns = new Set([...sentinelColumns.map(({ name }) => name), 'Type', 'disabled']);
  for (const [name, known] of [
    ['ASimAlertEventSpanwarden', alert],
    ['ASimAgentEventSpanwarden', agent],
  ] as const) {
    const text = textOf('sentinel', `${name}.kql`);
    const body = text.slice(text.indexOf('| project') + '| project'.length, text.indexOf('\n};'));
    const fields = body
      .trim()
      .split(/,\n\s*/)
      .map((field) => field.split(/ = (.*)/s) as [string, string?]);
    assert.deepEqual(
      fields.map(([field]) => field).filter((field) => !known.includes(field)),
      [],
    );
    const read = [
      text.slice(0, text.indexOf('| project')).replace(/^[\s\S]*_CL\n/, ''),
      ...fields.map(([field, value]) => value ?? field),
    ];
    const identifiers =
      read
        .join(' ')
        .replaceAll(/'[^']*'/g, '')
        .match(/\b[A-Z]\w*\b(?!\()/g) ?? [];
    assert.deepEqual(
      identifiers.filter((identifier) => !columns.has(identifier)),
      [],
    );
    const deployed = template.resources.find(
      (resource: { properties: { functionAlias?: string } }) => resource.properties.functionAlias === name,
    );
    assert.equal(deployed.properties.query, text);
  }
});

test('wazuh: the rules are well-formed, and each level of each kind has one that fits what is written', () => {
  const text = textOf('wazuh', 'spanwarden_rules.xml');
  assert.equal(XMLValidator.validate(text), true);
  const { group } = new XMLParser({ ignoreAttributes: false, isArray: (name) => name === 'field' }).parse(text);
  const rules: { '@_id': string; field: { '#text': string; '@_name': string }[]; if_sid?: unknown }[] = group.rule;
  assert.equal(new Set(rules.map((rule) => rule['@_id'])).size, rules.length);
  const fits = (document: unknown) => (rule: (typeof rules)[number]) =>
    rule.field.every((field) => new RegExp(field['#text']).test(String(valueAt(document, field['@_name']))));
  for (const level of levels) {
    const finding = { ...findingEvent, finding: { ...findingEvent.finding, level } };
    const told = { ...caseEvent, case: { ...caseEvent.case, level } };
    const fitting = [finding, told].map((event) => {
      const document = JSON.parse(openFormat('json').encode(event, context));
      return rules.filter(fits(document)).map((rule) => Number(rule['@_id']));
    });
    const at = levels.indexOf(level);
    assert.deepEqual(fitting, [
      [117_200, 117_201 + at],
      [117_200, 117_211 + at],
    ]);
  }
  const sample = JSON.parse(openFormat('json').encode({ ...caseEvent, isSample: true, activity: 'close' }, context));
  const ids = rules.filter(fits(sample)).map((rule) => Number(rule['@_id']));
  assert.deepEqual(ids, [117_200, 117_215, 117_221, 117_222]);
  // Children name rules that are there.
  for (const { if_sid } of rules) {
    for (const id of String(if_sid ?? '117200').split(','))
      assert.ok(
        rules.some((rule) => rule['@_id'] === id),
        id,
      );
  }
});

/** Stanzas of a .conf file of Splunk. */
function parseConf(text: string): Map<string, Map<string, string>> {
  const stanzas = new Map<string, Map<string, string>>();
  let settings: Map<string, string> | undefined;
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const stanza = /^\[(.+)\]$/.exec(line)?.[1];
    if (stanza !== undefined) {
      assert.ok(!stanzas.has(stanza), `${stanza} twice`);
      settings = new Map();
      stanzas.set(stanza, settings);
      continue;
    }
    const [, key, value] = /^([A-Za-z_][\w-]*) = (.+)$/.exec(line) ?? [];
    assert.ok(settings !== undefined && key !== undefined && value !== undefined, line);
    assert.ok(!settings.has(key), `${key} twice`);
    settings.set(key, value);
  }
  return stanzas;
}

interface Mapping {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Mapping>>;
}

const takes: Readonly<Record<string, (value: unknown) => boolean>> = {
  date: (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value)),
  keyword: (value) => typeof value === 'string',
  wildcard: (value) => typeof value === 'string',
  match_only_text: (value) => typeof value === 'string',
  long: (value) => Number.isInteger(value),
  float: (value) => typeof value === 'number',
  boolean: (value) => typeof value === 'boolean',
};

/** The members without a mapping that takes them. */
function unmapped(document: object, { properties = {} }: Mapping, way = ''): string[] {
  return Object.entries(document).flatMap(([name, value]) => {
    const mapping = properties[name];
    if (mapping === undefined) return [`${way}.${name}`];
    if (mapping.type === undefined) return unmapped(value, mapping, `${way}.${name}`);
    const isTaken = [value].flat().every((item) => takes[mapping.type ?? '']?.(item) === true);
    return isTaken ? [] : [`${way}.${name}`];
  });
}

function valueAt(value: unknown, way: string): unknown {
  return way.split('.').reduce<unknown>((inner, name) => (inner as Record<string, unknown> | undefined)?.[name], value);
}
