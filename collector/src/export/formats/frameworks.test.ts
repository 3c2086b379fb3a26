import assert from 'node:assert/strict';
import test from 'node:test';
import { tacticsOf, techniquesOf } from './frameworks.ts';

test('tags of Sigma name techniques of ATT&CK and ATLAS, each once', () => {
  assert.deepEqual(
    techniquesOf(['attack.t1059.001', 'ATTACK.T1567', 'atlas.aml.t0051.001', 'attack.t1567', 'atlas.aml.t0086']).map(
      ({ framework, id, subId, url }) => [framework, id, subId, url],
    ),
    [
      ['MITRE ATT&CK', 'T1059', 'T1059.001', 'https://attack.mitre.org/techniques/T1059/001/'],
      ['MITRE ATT&CK', 'T1567', '', 'https://attack.mitre.org/techniques/T1567/'],
      ['MITRE ATLAS', 'AML.T0051', 'AML.T0051.001', 'https://atlas.mitre.org/techniques/AML.T0051.001'],
      ['MITRE ATLAS', 'AML.T0086', '', 'https://atlas.mitre.org/techniques/AML.T0086'],
    ],
  );
});

test('tactics by name, by id, and of ATLAS', () => {
  assert.deepEqual(
    tacticsOf(['attack.command-and-control', 'attack.credential_access', 'attack.TA0002', 'atlas.aml.ta0002']).map(
      ({ id, name }) => [id, name],
    ),
    [
      ['TA0011', 'Command and Control'],
      ['TA0006', 'Credential Access'],
      ['TA0002', 'Execution'],
      ['AML.TA0002', ''],
    ],
  );
});

test('other tags name neither', () => {
  const tags = [
    'owasp.llm01',
    'attack.g0001',
    'attack.s0001',
    'attack.t10591',
    'xattack.t1059',
    'attack.t1059\n',
    'attack.',
  ];
  assert.deepEqual([techniquesOf(tags), tacticsOf(tags)], [[], []]);
});
