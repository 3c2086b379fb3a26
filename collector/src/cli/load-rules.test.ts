import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, test } from 'node:test';
import { detectConfigSchema } from '../detect/config.ts';
import { SpanwardenError } from '../model/errors.ts';
import { limits } from '../model/limits.ts';
import { loadRules, readRuleFiles, shippedRulesPath } from './load-rules.ts';

const folder = mkdtempSync(join(tmpdir(), 'spanwarden-rules-'));
after(() => rmSync(folder, { recursive: true }));

const rule = (id: string, value = 'x') =>
  `title: ${id}\nid: ${id}\nlogsource: {product: ai_agent}\ndetection:\n  s: {f|expand: '${value}'}\n  condition: s\n`;

function write(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content);
  return path;
}

test('list files stand in folders called lists; a name in two places is refused with both', () => {
  const rule = (name: string) => `title: R ${name}
id: ${name}
name: ${name}
logsource: {category: tool}
detection:
  s:
    gen_ai.tool.name|expand: '%tools%'
  condition: s
`;
  mkdirSync(join(folder, 'listed', 'lists'), { recursive: true });
  writeFileSync(join(folder, 'listed', 'a.yml'), rule('a'));
  writeFileSync(join(folder, 'listed', 'lists', 'tools.yml'), '- payments.refund\n- payments.pay\n');
  const config = detectConfigSchema.parse({ rules: [join(folder, 'listed')], shipped_rules: false });
  const [loaded] = loadRules(config).rules;
  assert.ok(loaded);
  assert.equal(readRuleFiles([join(folder, 'listed', 'a.yml')]).lists.length, 1);
  assert.throws(
    () => loadRules({ ...config, lists: { tools: ['x'] } }),
    /tools\.yml:1:1: the list `tools` already stands in `detect\.lists` of the config/,
  );
});

test('folders are read in the order of names, tests apart, links and hidden files left out', () => {
  write('order/b.yml', rule('b'));
  write('order/a/z.yaml', rule('z'));
  write('order/a/z.test.yml', 'matches: []');
  write('order/.hidden/h.yml', 'no: rule');
  write('order/notes.md', 'no rule');
  symlinkSync(join(folder, 'order'), join(folder, 'order', 'loop'));
  const files = readRuleFiles([join(folder, 'order')]);
  assert.deepEqual(
    files.rules.map(({ path }) => basename(path)),
    ['z.yaml', 'b.yml'],
  );
  assert.deepEqual(
    files.tests.map(({ path }) => basename(path)),
    ['z.test.yml'],
  );
});

test('links to files are read, as in a mounted ConfigMap; those that lead nowhere are left out', () => {
  write('mounted/..2026/a.yml', rule('a'));
  symlinkSync('..2026', join(folder, 'mounted', '..data'));
  symlinkSync(join('..data', 'a.yml'), join(folder, 'mounted', 'a.yml'));
  symlinkSync(join('..data', 'gone.yml'), join(folder, 'mounted', 'gone.yml'));
  const { rules } = readRuleFiles([join(folder, 'mounted')]);
  assert.deepEqual(
    rules.map(({ path }) => basename(path)),
    ['a.yml'],
  );
});

test('every path that cannot be read is told at once', () => {
  const large = write('bad/large.yml', Buffer.alloc(limits.ruleFileBytesMax + 1, 32));
  const latin = write('bad/latin.yml', Buffer.from([0x74, 0xe4]));
  assert.throws(
    () => readRuleFiles([large, latin, join(folder, 'nowhere')]),
    (error: unknown) => {
      assert.ok(error instanceof SpanwardenError);
      assert.deepEqual(error.problems.map(({ message }) => message.split(' ').slice(0, 4).join(' ')).sort(), [
        'the file is larger',
        'the file is not',
        'there is no such',
      ]);
      return true;
    },
  );
});

test('the config adds rules to the shipped ones and gives lists', () => {
  const own = write('own/r.yml', rule('own', '%names%'));
  const { rules: shipped } = loadRules(detectConfigSchema.parse(undefined));
  assert.ok(shipped.length >= 15);
  const lists = { names: ['a'] };
  assert.equal(loadRules(detectConfigSchema.parse({ rules: [own], lists })).rules.length, shipped.length + 1);
  assert.equal(loadRules(detectConfigSchema.parse({ rules: [own], lists, shipped_rules: false })).rules.length, 1);
  assert.throws(() => loadRules(detectConfigSchema.parse({ rules: [own] })), /%names% has no values/);
  assert.ok(readRuleFiles([shippedRulesPath()]).tests.length >= 15);
});
