import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import fc from 'fast-check';
import { SpanwardenError } from '../model/errors.ts';
import { loadConfig } from './load.ts';

function load(text: string, env: NodeJS.ProcessEnv = {}) {
  return loadConfig({ text, env });
}

/** The text of every problem, without the advice. */
function problems(text: string, env: NodeJS.ProcessEnv = {}): string[] {
  return failure(text, env).problems.map(
    ({ position, message, code }) => `${position?.line}:${position?.column} ${message} ${code}`,
  );
}

function failure(text: string, env: NodeJS.ProcessEnv = {}): SpanwardenError {
  try {
    load(text, env);
  } catch (error) {
    assert.ok(error instanceof SpanwardenError, String(error));
    return error;
  }
  assert.fail('the config was accepted');
}

test('an empty config is all defaults, frozen through and through', () => {
  const config = load('');
  assert.equal(config.data_dir, './spanwarden-data');
  assert.equal(config.receive.http.listen, '127.0.0.1:4318');
  assert.equal(config.spool.segment_age_max_ms, 1000);
  assert.deepEqual(load('# nothing\n'), config);
  assert.deepEqual(load('receive:\nspool: {}\n'), config);
  assert.throws(() => Object.assign(config.receive.http, { listen: 'x' }), TypeError);
  assert.throws(() => Object.assign(config, { data_dir: 'x' }), TypeError);
});

test('every problem is told at once, with its place, in order', () => {
  const text = 'recieve:\n  http: {}\nlog:\n  level: loud\nspool:\n  bytes_max: lots\n  grace-ms: 1\n';
  assert.deepEqual(problems(text), [
    '1:1 unknown key "recieve" SW_CONFIG_KEY',
    '4:10 log.level: expected one of "trace"|"debug"|"info"|"warn"|"error"|"silent" SW_CONFIG_VALUE',
    '6:14 spool.bytes_max: expected number, received string SW_CONFIG_VALUE',
    '7:3 unknown key "grace-ms" in spool SW_CONFIG_KEY',
  ]);
  const advice = failure(text).problems.map((problem) => problem.advice);
  assert.equal(advice[0], 'Did you mean receive?');
  assert.match(advice[1] ?? '', /^Least level that is logged/);
  assert.equal(advice[3], 'Did you mean grace_ms?');
  assert.match(failure('zzz: 1').problems[0]?.advice ?? '', /^Known here: data_dir, log, limits, receive, /);
});

test('the message reads file:line:column: what is wrong (code)', () => {
  assert.throws(() => loadConfig({ file: 'my.yaml', text: 'a: 1', env: {} }), {
    message: /^my\.yaml:1:1: unknown key "a" \(SW_CONFIG_KEY\)\n {2}Known here:/,
  });
});

test('YAML that is broken, ambiguous or a bomb is refused with its place', () => {
  assert.match(problems('log:\n  level: "info\n')[0] ?? '', /^\d+:\d+ .*SW_CONFIG_YAML$/);
  assert.match(problems('data_dir: a\ndata_dir: b\n')[0] ?? '', /^2:1 Map keys must be unique SW_CONFIG_YAML$/);
  assert.match(problems('data_dir: &a x\nlog: *a\n')[0] ?? '', /^2:6 aliases are not supported here/);
  assert.match(problems('data_dir: !!js/function x\n')[0] ?? '', /SW_CONFIG_YAML/);
  assert.match(problems('a: 1\n---\nb: 2\n').join(), /SW_CONFIG_YAML/);
  assert.match(problems('['.repeat(100_000)).join(), /SW_CONFIG_YAML/);
  assert.match(problems(`${'['.repeat(40)}${']'.repeat(40)}`).join(), /nested too deeply/);
  assert.match(problems('- 1\n').join(), /^1:1 expected object, received array/);
  assert.match(problems('__proto__: {polluted: 1}\n').join(), /^1:1 unknown key "__proto__"/);
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
});

test('references become values, and numbers where the schema wants numbers', () => {
  const env = { AGE: '250', LEVEL: 'warn', EMPTY: '', HOST: '127.0.0.1' };
  const config = load(
    'spool: {segment_age_max_ms: "${env:AGE}"}\nlog: {level: "${env:LEVEL}"}\n' +
      'receive: {http: {listen: "${env:HOST}:${env:PORT:-4400}"}}\ndata_dir: ${env:EMPTY:-/tmp/x}/$${kept}\n',
    env,
  );
  assert.equal(config.spool.segment_age_max_ms, 250);
  assert.equal(config.log.level, 'warn');
  assert.equal(config.receive.http.listen, '127.0.0.1:4400');
  assert.equal(config.data_dir, '/tmp/x/${kept}');
  // A number in quotes that no reference gave is a mistake in the file.
  assert.match(problems('spool: {segment_age_max_ms: "250"}').join(), /expected number, received string/);
});

test('what a reference gives is never read for further references', () => {
  assert.equal(load('data_dir: ${env:A}', { A: '${env:B}', B: 'secret' }).data_dir, '${env:B}');
});

test('a reference that leads nowhere is one problem at its place', () => {
  assert.deepEqual(problems('log:\n  level: ${env:NOT_SET}\n'), [
    '2:10 log.level: the environment variable NOT_SET is not set SW_CONFIG_ENV',
  ]);
  for (const text of ['${env:}', '${env:1A}', '${NAME}', '${vault:x}', '${file:/does/not/exist}', '${env:OPEN']) {
    assert.match(problems(`data_dir: "${text}"`).join(), /^1:11 data_dir: .*SW_CONFIG_ENV$/, text);
  }
});

test('${file:path} reads a file without its last line break', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'spanwarden-config-'));
  context.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'dir'), 'from-file\n');
  assert.equal(load(`data_dir: \${file:${join(folder, 'dir')}}`).data_dir, 'from-file');
  writeFileSync(join(folder, 'c.yaml'), 'data_dir: here\n');
  assert.equal(loadConfig({ file: join(folder, 'c.yaml'), env: {} }).data_dir, 'here');
  assert.throws(
    () => loadConfig({ file: join(folder, 'missing.yaml'), env: {} }),
    /cannot be read \(ENOENT\) \(SW_CONFIG_FILE\)/,
  );
});

test('no value is repeated in a message: it may be a secret', () => {
  const token = 'super-secret-value';
  for (const text of [
    `log: {level: ${token}}`,
    `spool: {bytes_max: ${token}}`,
    `receive: ${token}`,
    `receive: {http: {listen: ${token}}}`,
  ]) {
    assert.ok(!failure(text).message.includes(token), failure(text).message);
  }
});

test('any text is a config or a SpanwardenError, never anything else', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom(
      'receive:',
      '\n',
      '  ',
      '- ',
      ': ',
      '{',
      '}',
      '[',
      '&a ',
      '*a',
      '!!t ',
      '? ',
      '|',
      '"',
      '${env:',
      '}',
      '#',
      '---\n',
      '\t',
      'log',
      '<<',
    ),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      try {
        load(pieces.join(''));
      } catch (error) {
        assert.ok(error instanceof SpanwardenError, String((error as Error).stack));
        for (const { position } of error.problems)
          assert.ok((position?.line ?? 0) >= 1 && (position?.column ?? 0) >= 1);
      }
    }),
    { numRuns: 500 },
  );
});
