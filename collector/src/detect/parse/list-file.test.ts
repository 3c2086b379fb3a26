import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { problemText } from '../../model/errors.ts';
import { Report } from '../report.ts';
import { mergeLists, parseListFile } from './list-file.ts';

function read(text: string, file = 'rules/lists/hosts.yml') {
  const report = new Report();
  const list = parseListFile(file, text, report);
  return { list, errors: report.errors.map(problemText) };
}

describe('list files', () => {
  test('a list, named by its file, or a map with a name', () => {
    const plain = read('# hosts\n- drop.example\n- "a b"   # why\n- \'#x\'\n\n- 10.0.0.1\n').list;
    assert.deepEqual([plain?.name, plain?.values], ['hosts', ['drop.example', 'a b', '#x', '10.0.0.1']]);
    const map = read('name: drops\ndescription: Places to drop data\nvalues:\n  - a.example\n  - b.example\n').list;
    assert.deepEqual(
      [map?.name, map?.description, map?.values],
      ['drops', 'Places to drop data', ['a.example', 'b.example']],
    );
  });

  test('what is not the simple form is read as YAML', () => {
    assert.deepEqual(read('["a: b", c]').list?.values, ['a: b', 'c']);
    assert.deepEqual(read('- "tab\\there"\n- >-\n  folded\n  text\n- a: b\n').errors.length, 1);
    assert.deepEqual(read('values: [x]\nname: y\n').list?.name, 'y');
    assert.deepEqual(read('- https://a.example/x\n- C:\\temp\n').list?.values, ['https://a.example/x', 'C:\\temp']);
  });

  test('every error says where', () => {
    const { errors, list } = read('- good\n- 5\n- true\n- ""\n-   null\n');
    assert.equal(list, undefined);
    assert.deepEqual(
      errors.map((text) => text.split(': ')[0]),
      [
        'rules/lists/hosts.yml:2:3',
        'rules/lists/hosts.yml:3:3',
        'rules/lists/hosts.yml:4:3',
        'rules/lists/hosts.yml:5:3',
      ],
    );
    assert.match(read('').errors[0]!, /no values/);
    assert.match(read('just text').errors[0]!, /a list of texts/);
    assert.match(read('valeus: [x]').errors[0]!, /1:1: unknown key/);
    assert.match(read('- a', 'lists/no name.yml').errors[0]!, /no name for a list/);
    assert.match(read('- [a').errors[0]!, /SW_RULE_YAML/);
    assert.match(read('- a\n---\n- b\n').errors[0]!, /one document/);
  });

  test('the simple form means what YAML says it means', () => {
    const rows = [
      'a',
      'a b',
      '"x"',
      "'y'",
      'a#b',
      'a # b',
      '10.0.0.1',
      '.com',
      '~',
      '5',
      '1e3',
      '0x1f',
      '-x',
      '- x',
      'a: b',
      'a:b',
      '*.x',
      '&a',
      '!t',
      '%x',
      '@x',
      '`x',
      '[x',
      'ü',
      '"a\\tb"',
      'yes',
    ];
    for (const row of rows) {
      const line = read(`- ${row}\n`);
      const yaml = read(`- ${row}\n- "\\t"\n`);
      assert.equal(line.errors.length > 0, yaml.errors.length > 0, row);
      if (line.list) assert.deepEqual(line.list.values, yaml.list?.values.slice(0, 1), row);
    }
  });

  test('a million values, and one too many', () => {
    const text = Array.from({ length: 1_000_000 }, (_, i) => `- host${i}.example\n`).join('');
    assert.equal(read(text).list?.values.length, 1_000_000);
    assert.match(read(`${text}- one more\n`).errors[0]!, /:1000001:1: the list has more than/);
  });
});

test('a name in two places is an error that says both', () => {
  const report = new Report();
  const lists = ['a/lists/x.yml', 'b/lists/x.yml', 'b/lists/y.yml'].map((file) => parseListFile(file, '- v', report)!);
  const merged = mergeLists(lists, [{ lists: new Map([['y', ['w']]]), from: 'detect.lists' }], report);
  assert.deepEqual([...merged.keys()], ['y', 'x']);
  assert.deepEqual(report.errors.map(problemText), [
    'b/lists/x.yml:1:1: the list `x` already stands in a/lists/x.yml:1 (SW_RULE_VALUE)\n  Rename or remove one.',
    'b/lists/y.yml:1:1: the list `y` already stands in detect.lists (SW_RULE_VALUE)\n  Rename or remove one.',
  ]);
});
