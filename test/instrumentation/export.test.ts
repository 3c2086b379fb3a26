import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { chatCompletion, type OpenAiServer, startOpenAiServer } from '../support/openai-server.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.ts';
import { indexUrl, type ProgramOptions, type ProgramResult, registerUrl, runProgram } from '../support/program.ts';

let model: OpenAiServer;
let answer: number | 'hang' = 200;
/** Answers to give before `answer`. */
let answers: number[] = [];
let receiver: OtlpReceiver;

before(async () => {
  model = await startOpenAiServer({
    reply: ({ body }) =>
      body.model === 'refuse' ? { wire: 'error', status: 400, message: 'no' } : chatCompletion('the answer'),
  });
  receiver = await startOtlpReceiver(() => answers.shift() ?? answer);
});
afterEach(() => {
  receiver.requests.splice(0);
  answer = 200;
  answers = [];
});
after(() => Promise.all([model.close(), receiver.close()]));

const head = `import OpenAI from 'openai';\nimport { status } from '${indexUrl}';
const client = new OpenAI({ apiKey: 'k', baseURL: process.env.MODEL, maxRetries: 0 });
const ask = (model = 'm', more = {}) => client.chat.completions.create({ model, messages: [{ role: 'user', content: 'the question' }], ...more });\n`;

function run(source: string, env: Record<string, string> = {}, options: ProgramOptions = {}): Promise<ProgramResult> {
  const otlp = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' };
  return runProgram(head + source, {
    args: ['--import', registerUrl],
    ...options,
    env: { MODEL: model.url, ...otlp, ...env },
  });
}

describe('what goes over the wire', () => {
  test('protobuf with gzip, headers, service and resource attributes', async () => {
    const result = await run('await ask();', {
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20abc,x-tenant=t1',
      OTEL_SERVICE_NAME: 'shop-agent',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
    });
    assert.deepEqual([result.code, result.stderr], [0, '']);
    const [request] = receiver.requests;
    assert.equal(receiver.requests.length, 1);
    assert.equal(request?.path, '/v1/traces');
    assert.equal(request?.headers['content-type'], 'application/x-protobuf');
    assert.equal(request?.headers['content-encoding'], 'gzip');
    assert.equal(request?.headers.authorization, 'Bearer abc');
    assert.equal(request?.headers['x-tenant'], 't1');
    const body = request?.body.toString('latin1') ?? '';
    for (const text of ['shop-agent', 'deployment.environment.name', 'chat m', 'the question', 'the answer']) {
      assert.ok(body.includes(text), text);
    }
  });

  test('the resource names distribution and process, and no arguments of the command line', async () => {
    await run('await ask();', {}, { args: ['--import', registerUrl, '--title=secret-argument'] });
    const [span] = receiver.spans();
    assert.equal(span?.resource['telemetry.distro.name'], 'spanwarden');
    assert.equal(span?.resource['process.runtime.name'], 'nodejs');
    assert.equal(typeof span?.resource['process.pid'], 'number');
    assert.doesNotMatch(JSON.stringify(span?.resource), /secret-argument/);
  });

  test('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is used as it is', async () => {
    await run('await ask();', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${receiver.url}/custom` });
    assert.deepEqual(
      receiver.requests.map((request) => request.path),
      ['/custom'],
    );
  });

  test('a span the sampler leaves out is exported all the same', async () => {
    await run('await ask();', { OTEL_TRACES_SAMPLER: 'always_off' });
    assert.equal(receiver.spans().length, 1);
  });

  test('content switches: ours, and the one of OpenTelemetry', async () => {
    for (const env of [
      { SPANWARDEN_CONTENT: 'metadata_only' },
      { OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: 'false' },
    ]) {
      receiver.requests.splice(0);
      await run('await ask();', env);
      assert.equal(receiver.spans().length, 1);
      assert.equal(receiver.spans()[0]?.attributes['spanwarden.content.mode'], 'metadata_only');
      assert.doesNotMatch(receiver.requests[0]?.body.toString() ?? '', /the question|the answer/);
    }
  });

  test('OTEL_TRACES_EXPORTER: none sends nothing, console prints', async () => {
    const none = await run('await ask();', { OTEL_TRACES_EXPORTER: 'none' });
    assert.deepEqual([none.code, none.stdout, none.stderr], [0, '', '']);
    const printed = await run('await ask();', { OTEL_TRACES_EXPORTER: 'console' });
    assert.match(printed.stdout, /chat m/);
    assert.deepEqual(receiver.requests, []);
  });

  test('503 is tried again and arrives once; 400 is not', async () => {
    const wait = `await ask();
while (status().export.queued > 0) await new Promise((done) => setTimeout(done, 50));
console.log(JSON.stringify(status().export));`;
    const fast = { OTEL_BSP_SCHEDULE_DELAY: '10' };
    answers = [503];
    const retried = await run(wait, fast);
    assert.equal(JSON.parse(retried.stdout).exported, 1);
    assert.match(retried.stderr, /^spanwarden: spans cannot be sent to .* \(HTTP 503\).*\n$/);
    assert.equal(receiver.requests.length, 2);
    receiver.requests.splice(0);
    answer = 400;
    const refused = await run(wait, fast);
    const { exported, failed, queued } = JSON.parse(refused.stdout);
    assert.deepEqual(
      { exported, failed, queued, sent: receiver.requests.length },
      { exported: 0, failed: 1, queued: 0, sent: 1 },
    );
  });
});

describe('the end of the process', () => {
  test('process.exit right after the call', async () => {
    const result = await run('await ask();\nprocess.exit(3);');
    assert.deepEqual([result.code, result.stderr], [3, '']);
    assert.deepEqual(
      receiver.spans().map((span) => span.name),
      ['chat m'],
    );
  });

  test('an uncaught error: same exit code, span sent', async () => {
    const result = await run("await ask();\nsetTimeout(() => { throw new Error('boom'); });");
    assert.equal(result.code, 1);
    assert.match(result.stderr, /boom/);
    assert.equal(receiver.spans().length, 1);
  });

  test('a stream that was left lying is told at the end', async () => {
    await run("const stream = await ask('m', { stream: true });\nawait stream.iterator().next();");
    const [span] = receiver.spans();
    assert.equal(receiver.spans().length, 1);
    assert.equal(span?.attributes['spanwarden.stream.end'], 'abandoned');
  });

  test('SIGTERM nobody listens for kills as before, after the last span is sent', async () => {
    const source = "await ask();\nconsole.log('ready');\nsetInterval(() => {}, 1000);";
    const onOutput = (_text: string, kill: (signal: NodeJS.Signals) => void): void => kill('SIGTERM');
    const result = await run(source, { OTEL_BSP_SCHEDULE_DELAY: '60000' }, { onOutput });
    assert.deepEqual([result.code, result.signal], [null, 'SIGTERM']);
    assert.equal(receiver.spans().length, 1);
  });

  test('where the host listens for SIGTERM, the host decides', async () => {
    const source = `process.on('SIGTERM', () => { console.log('listeners', process.listenerCount('SIGTERM')); clearInterval(timer); });
const timer = setInterval(() => {}, 1000);\nawait ask();\nconsole.log('ready');`;
    const onOutput = (text: string, kill: (signal: NodeJS.Signals) => void): void => {
      if (text.includes('ready')) kill('SIGTERM');
    };
    const result = await run(source, { OTEL_BSP_SCHEDULE_DELAY: '60000' }, { onOutput });
    assert.deepEqual([result.code, result.signal, result.stdout], [0, null, 'ready\nlisteners 1\n']);
    assert.equal(receiver.spans().length, 1);
  });

  test('a failed call nobody waits for ends the process as it does without us', async () => {
    const source = "client.chat.completions.create({ model: 'refuse', messages: [] });";
    const plain = await run(source, {}, { args: [] });
    const watched = await run(source);
    assert.deepEqual([watched.code, watched.stdout], [plain.code, plain.stdout]);
    assert.equal(plain.code, 1);
    assert.match(watched.stderr, /BadRequestError: 400 no/);
    assert.equal(receiver.spans()[0]?.attributes['error.type'], '400');
  });
});

describe('no collector', () => {
  const away = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' };
  const ask5 = 'for (let i = 0; i < 5; i++) console.log((await ask()).id);\n';

  test('nobody listens: same output, one line on stderr, counted drops', async () => {
    const source = `${ask5}await new Promise((done) => setTimeout(done, 100));\nconsole.log(JSON.stringify(status().export));`;
    const result = await run(source, { ...away, OTEL_BSP_MAX_QUEUE_SIZE: '2', OTEL_BSP_SCHEDULE_DELAY: '20' });
    const lines = result.stdout.trimEnd().split('\n');
    const { ended, exported, dropped, queued } = JSON.parse(lines.pop() ?? '');
    assert.equal(result.code, 0);
    assert.deepEqual(lines, Array(5).fill('chatcmpl-1'));
    assert.deepEqual({ ended, exported, dropped, queued }, { ended: 5, exported: 0, dropped: 3, queued: 2 });
    assert.match(result.stderr, /^spanwarden: spans cannot be sent to http:\/\/127\.0\.0\.1:9\/v1\/traces .*\n$/);
  });

  test('a collector that never answers holds the process for 2 s and no longer', async () => {
    answer = 'hang';
    const result = await run(ask5, { OTEL_EXPORTER_OTLP_TIMEOUT: '60000' });
    assert.equal(result.code, 0);
    assert.ok(result.elapsedMs < 30_000, `${result.elapsedMs} ms`);
    const exited = await run(`${ask5}process.exit(0);`, { OTEL_EXPORTER_OTLP_TIMEOUT: '60000' });
    assert.equal(exited.code, 0);
    assert.ok(exited.elapsedMs < 30_000, `${exited.elapsedMs} ms`);
  });

  test('an endpoint that is no URL is told once and breaks nothing', async () => {
    const result = await run(ask5, { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' });
    assert.equal(result.code, 0);
    assert.match(result.stderr, /^spanwarden: no spans are exported: .*write e\.g\..*\n$/);
  });
});

describe('beside a provider of the host', () => {
  const host = (api: string, processors: string): string => `import { trace } from '${api}';
import { spanProcessor } from '${indexUrl}';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
const memory = new InMemorySpanExporter();
const keep = new SimpleSpanProcessor({ exporter: memory });
const provider = new TracerProvider({ spanProcessors: ${processors} });
trace.setGlobalTracerProvider(provider);
await provider.getTracer('host').startActiveSpan('outer', async (span) => { await ask(); span.end(); });
console.log(JSON.stringify({ provider: status().provider, seen: memory.getFinishedSpans().map((span) => span.name) }));`;

  test('the spans are the host’s, which set its provider up after us', async () => {
    const result = await run(host('@opentelemetry/api', '[keep]'));
    assert.deepEqual(JSON.parse(result.stdout), { provider: 'host', seen: ['chat m', 'outer'] }, result.stderr);
    assert.deepEqual(receiver.requests, []);
  });

  test('with our processor in it they reach both', async () => {
    const result = await run(host('@opentelemetry/api', '[keep, spanProcessor()]'));
    assert.deepEqual(JSON.parse(result.stdout), { provider: 'host', seen: ['chat m', 'outer'] }, result.stderr);
    assert.deepEqual(
      receiver
        .spans()
        .map((span) => span.name)
        .sort(),
      ['chat m', 'outer'],
    );
  });

  test('registered by another version of the API: isolated, or joined through our processor', async () => {
    const apart = await run(host('otel-api-1.9', '[keep]'));
    assert.deepEqual(JSON.parse(apart.stdout), { provider: 'isolated', seen: ['outer'] }, apart.stderr);
    assert.deepEqual(
      receiver.spans().map((span) => span.name),
      ['chat m'],
    );
    receiver.requests.splice(0);
    const joined = await run(host('otel-api-1.9', '[keep, spanProcessor()]'));
    assert.deepEqual(JSON.parse(joined.stdout), { provider: 'host', seen: ['chat m', 'outer'] }, joined.stderr);
  });

  test('SPANWARDEN_PROVIDER=isolated keeps them out of the host’s pipeline and below its spans', async () => {
    const result = await run(
      `import { context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());\n${host('@opentelemetry/api', '[keep]')}`,
      { SPANWARDEN_PROVIDER: 'isolated' },
    );
    assert.deepEqual(JSON.parse(result.stdout), { provider: 'isolated', seen: ['outer'] }, result.stderr);
    assert.notEqual(receiver.spans()[0]?.parentSpanId, '');
  });
});
