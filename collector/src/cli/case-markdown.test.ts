import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CaseEvent, StoredCase, StoredStep } from '../store/cases-reader.ts';
import { caseMarkdown } from './case-markdown.ts';
import { casePage, caseTable } from './cases-view.ts';
import { createTerminal } from './terminal.ts';

const hostile =
  '``` | <img src=x onerror=alert(1)> ![p](https://t.example/p.png) [l](http://l.example) *b* @all\n# h\u001b[2J\u202e';

const step: StoredStep = {
  ...{ findingId: 'f', time: '2026-11-22T10:00:00.5Z', count: 2, ruleId: hostile, ruleTitle: hostile, level: 'high' },
  ...{ traceId: 't', spanId: 's', spanName: hostile, agentName: hostile, toolName: hostile, shown: hostile },
};

const hostileCase: StoredCase = {
  ...{ id: 'ab'.repeat(16), status: 'open', headline: hostile, level: 'high', raisedBy: hostile },
  ...{ firstSeen: '2026-11-22T10:00:00Z', lastSeen: '2026-11-23T10:00:00Z', findings: 70, count: 99 },
  ...{ agents: [hostile], users: [hostile], conversations: [hostile], traceIds: ['t'], chainIds: ['c'] },
  votes: [{ ruleId: hostile, ruleTitle: hostile, level: 'high', findings: 1, count: 2 }],
  timeline: [step, { ...step, time: '2026-11-23T10:00:00Z' }],
};

const event: CaseEvent = {
  ...{ time: '2026-11-23T11:00:00Z', caseId: 'cd'.repeat(16), reason: hostile, by: hostile },
  action: 'close',
  disposition: 'benign',
};

test('nothing out of telemetry becomes markup', () => {
  const text = caseMarkdown(hostileCase, [event]);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly those must not come through.
  assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u202e]/);
  const lines = text.split('\n');
  assert.equal(lines.filter((line) => line.startsWith('#')).length, 4, 'only our headings');
  for (const line of lines.filter((each) => each.startsWith('|'))) {
    const cells = line.replaceAll('\\|', '').split('|').length - 2;
    assert.ok(cells === 6 || cells === 4, `a cell has broken out: ${line}`);
  }
  const outsideOfCode = text.replaceAll(/(`+)(?!`).*?(?<!`)\1(?!`)/g, '');
  assert.doesNotMatch(outsideOfCode, /<|(?<!\\)!|(?<!\\)\[|:\/\/|@/);
  assert.match(text, /And 68 more findings/);
});

test('the terminal view is plain lines', () => {
  const pieces: string[] = [];
  const terminal = createTerminal({ write: (text) => pieces.push(text), columns: 80 }, {});
  terminal.write(caseTable([hostileCase], terminal));
  terminal.write(casePage(hostileCase, [event], terminal));
  const written = pieces.join('');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly those must not come through.
  assert.doesNotMatch(written, /[\u0000-\u0009\u000b-\u001f\u202e]/);
  assert.match(written, /HIGH {2}open/);
  assert.match(written, /2026-11-22 10:00:00 {2}high/, 'a timeline over several days has dates');
  assert.match(written, /and 68 more/);
  assert.match(written, /closed as benign by .*\(case cdcdcdcdcdcd\)/);
});
