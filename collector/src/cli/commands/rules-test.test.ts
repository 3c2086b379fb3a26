import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { XMLParser, XMLValidator } from 'fast-xml-parser';

const folder = mkdtempSync(join(tmpdir(), 'spanwarden-rules-test-'));
after(() => rmSync(folder, { recursive: true }));
const main = fileURLToPath(new URL('../../main.ts', import.meta.url));

function rulesTest(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'rules', 'test', ...args], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

const rule =
  'title: Says <it> & "more"\nid: says\nlogsource: {product: ai_agent, category: tool}\ndetection:\n' +
  '  selection:\n    gen_ai.tool.name: say\n    spanwarden.text.arguments|contains: drop it\n' +
  '  filter_quiet: {shop.quiet: true}\n  condition: selection and not filter_quiet\n';
const match = 'matches:\n  - case: a\n    tool: say\n    arguments: {text: please drop it now}\n';
const near = (name: string, text: string) =>
  `near_misses:\n  - case: ${name}\n    tool: say\n    arguments: {text: ${text}}\n`;

function ruleIn(name: string, tests: string): string {
  const path = mkdtempSync(join(folder, `${name}-`));
  writeFileSync(join(path, 'says.yml'), rule);
  writeFileSync(join(path, 'says.test.yml'), tests);
  return path;
}

describe('spanwarden rules test', () => {
  const good = ruleIn('good', match + near('b', 'keep it'));

  test('--junit writes XML that says what the terminal says, whatever stands in names', () => {
    const bad = ruleIn('bad', match + near('"]]> \\u0001 <b>&\'"', 'drop it'));
    const file = join(folder, 'junit.xml');
    assert.equal(rulesTest(bad, '--junit', file).status, 1);
    const xml = readFileSync(file, 'utf8');
    assert.equal(XMLValidator.validate(xml), true);
    const parsed = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: '' }).parse(xml);
    const { testsuites } = parsed;
    assert.deepEqual([testsuites.tests, testsuites.failures, testsuites.errors], ['2', '1', '0']);
    assert.equal(testsuites.testsuite.name, 'Says <it> & "more"');
    const [passed, failed] = testsuites.testsuite.testcase;
    assert.deepEqual([passed.name, passed.failure], ['a', undefined]);
    assert.equal(failed.name, "]]> \\u{1} <b>&'");
    assert.equal(failed.failure.message, 'the span matched but must not');
    assert.match(failed.failure['#text'], /says\.test\.yml:6:5: /);
  });

  test('--junit holds what belongs to no case, and refuses a place that is none', () => {
    const file = join(folder, 'errors.xml');
    assert.equal(rulesTest(ruleIn('half', match), '--junit', file).status, 1);
    const { testsuites } = new XMLParser({ ignoreAttributes: false }).parse(readFileSync(file, 'utf8'));
    assert.match(testsuites.testsuite[1].testcase.error['#text'], /has no near miss in its tests/);
    const nowhere = rulesTest(good, '--junit', join(folder, 'no', 'where.xml'));
    assert.equal(nowhere.status, 2);
    assert.match(nowhere.stderr, /where\.xml cannot be written: ENOENT/);
  });

  test('--coverage names what no test makes true or false', () => {
    const { status, stdout } = rulesTest(good, '--coverage');
    assert.equal(status, 0);
    assert.match(stdout, /never false: selection: gen_ai\.tool\.name equals "say"/);
    assert.match(stdout, /never true: filter_quiet\n/);
    assert.ok(!stdout.includes('text.arguments'));
    assert.match(stdout, /^coverage: 70 %$/m);
    const { covered, coverage } = JSON.parse(rulesTest(good, '--coverage', '--json').stdout);
    assert.equal(covered, 70);
    assert.deepEqual(
      coverage[0].points.map((point: { everTrue: boolean; everFalse: boolean }) => [point.everTrue, point.everFalse]),
      [
        [true, true],
        [true, false],
        [true, true],
        [false, true],
        [false, true],
      ],
    );
  });

  test('--coverage-min ends with 1 when less is covered', () => {
    assert.equal(rulesTest(good, '--coverage-min', '70').status, 0);
    const { status, stdout } = rulesTest(good, '--coverage-min', '70.1');
    assert.equal(status, 1);
    assert.match(stdout, /less than 70\.1 % is covered/);
    assert.equal(rulesTest(good, '--coverage-min', 'all').status, 2);
  });

  test('--evasions tells which variants are missed, and fails nothing', () => {
    const { status, stdout } = rulesTest(good, '--evasions');
    assert.equal(status, 0);
    assert.match(stdout, /STILL FOUND/);
    const { evasions } = JSON.parse(rulesTest(good, '--evasions', '--json').stdout);
    assert.deepEqual(
      evasions.map((each: { evasion: string; status: string }) => [each.evasion, each.status]),
      [
        ['upper case', 'found'],
        ['mixed case', 'found'],
        ['zero width', 'missed'],
        ['full width', 'missed'],
        ['line wraps', 'missed'],
        ['look-alikes', 'missed'],
        ['percent', 'missed'],
        ['base64', 'missed'],
      ],
    );
  });

  test('--watch runs again after each change, tells of broken files and ends with 0', async () => {
    const path = ruleIn('watched', match + near('b', 'keep it'));
    const child = spawn(process.execPath, [main, 'rules', 'test', path, '--watch'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const until = async (wanted: RegExp): Promise<void> => {
      for (;;) {
        const { value, done } = await lines.next();
        assert.ok(!done, `the output ended before ${wanted}`);
        if (wanted.test(value)) return;
      }
    };
    try {
      await until(/2 passed, 0 failed/);
      writeFileSync(join(path, 'says.test.yml'), match + near('b', 'drop it'));
      await until(/1 passed, 1 failed/);
      writeFileSync(join(path, 'says.yml'), 'title: [\n');
      await until(/says\.yml:\d/);
      writeFileSync(join(path, 'says.yml'), rule);
      await until(/1 passed, 1 failed/);
      child.kill('SIGINT');
      const [code] = await once(child, 'exit');
      assert.equal(code, 0);
    } finally {
      child.kill('SIGKILL');
    }
  });
});
