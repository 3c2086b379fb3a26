import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { SpanwardenError } from '../model/errors.ts';
import { loadConfig } from './load.ts';

/** What is wrong with a config, one line each. */
function problems(text: string): string[] {
  try {
    loadConfig({ text, env: {} });
    return [];
  } catch (error) {
    assert.ok(error instanceof SpanwardenError);
    return error.problems.map(({ message, position }) => `${position?.line}: ${message}`);
  }
}

function tee(settings: string, more = ''): string {
  return `${more}\ntee:\n  destinations:\n    up: { ${settings} }\n`;
}

const there = 'endpoint: "http://otel.example:4318"';

test('a tee beside redaction is an error until somebody says that it is meant', () => {
  const [line, ...others] = problems(tee(there));
  assert.deepEqual(others, []);
  assert.match(line!, /^4: .*sends traces as they came in, with what redact: secrets takes out.*contents: as_sent/);
  assert.deepEqual(problems(tee(`${there}, contents: as_sent`)), []);
  assert.deepEqual(problems(tee(there, 'redact: { profile: "off" }')), []);
  assert.match(
    problems(tee(`${there}, signals: [traces, logs]`, 'redact: { tables: { otel_traces: "off" } }'))[0]!,
    /sends logs/,
  );
  assert.deepEqual(problems(tee(there, 'redact: { tables: { otel_traces: "off" } }')), []);
});

test('a name that a destination has is taken', () => {
  const more = 'export: { destinations: { up: { type: stdout } } }';
  assert.match(problems(tee(`${there}, contents: as_sent`, more))[0]!, /export.destinations has a up already/);
});

const own = /this is the collector itself/;

for (const [listen, endpoint, isOwn] of [
  ['127.0.0.1:4318', 'http://127.0.0.1:4318', true],
  ['127.0.0.1:4318', 'http://localhost:4318/x', true],
  ['127.0.0.1:4318', 'http://127.0.0.2:4318', false],
  ['127.0.0.1:4318', 'http://127.0.0.1:4319', false],
  ['127.0.0.1:80', 'http://localhost', true],
  ['[::1]:4318', 'http://[::1]:4318', true],
  ['0.0.0.0:4318', `http://${hostname()}:4318`, true],
  ['0.0.0.0:4318', 'http://[::1]:4318', true],
  ['0.0.0.0:4318', 'http://otel.example:4318', false],
  ['127.0.0.1:0', 'http://127.0.0.1:4318', false],
] as const) {
  test(`${listen} and a tee to ${endpoint}: ${isOwn ? 'an error' : 'fine'}`, () => {
    const more = `receive: { http: { listen: "${listen}" }, bearer_token: 0123456789abcdef }`;
    const found = problems(tee(`endpoint: "${endpoint}", contents: as_sent`, more));
    assert.equal(found.length === 1 && own.test(found[0]!), isOwn, found.join('\n'));
  });
}
