import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { chatCompletion, type OpenAiServer, startOpenAiServer } from '../support/openai-server.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.ts';
import {
  indexUrl,
  type ProgramOptions,
  type ProgramResult,
  registerFile,
  registerUrl,
  runProgram,
} from '../support/program.ts';

let model: OpenAiServer;
let receiver: OtlpReceiver;

before(async () => {
  model = await startOpenAiServer({ reply: () => chatCompletion('hello') });
  receiver = await startOtlpReceiver();
});
beforeEach(() => void receiver.requests.splice(0));
after(() => Promise.all([model.close(), receiver.close()]));

function run(source: string, options: ProgramOptions = {}): Promise<ProgramResult> {
  const env = { MODEL: model.url, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' };
  return runProgram(source, { ...options, env: { ...env, ...options.env } });
}

const preload = ['--import', registerUrl];
const packages = ['openai', 'openai6', 'openai5'];
const create = `const client = new OpenAI({ apiKey: 'k', baseURL: process.env.MODEL });
const ask = (name) => client.chat.completions.create({ model: name, messages: [{ role: 'user', content: 'hi' }] });`;

function spanNames(): string[] {
  return receiver
    .spans()
    .map((span) => span.name)
    .sort();
}

for (const name of packages) {
  describe(name, () => {
    test('--import, ESM: one span, whatever else is loaded', async () => {
      const result = await run(
        `import OpenAI from '${name}';\n${create}\nconsole.log((await ask('m')).choices[0].message.content);`,
        { args: preload },
      );
      assert.deepEqual([result.code, result.stdout, result.stderr], [0, 'hello\n', '']);
      assert.deepEqual(spanNames(), ['chat m']);
    });

    test('--import, CJS', async () => {
      const result = await run(
        `const OpenAI = require('${name}');\n${create}\nask('m').then((r) => console.log(r.id));`,
        {
          args: preload,
          format: 'cjs',
        },
      );
      assert.deepEqual([result.code, result.stdout, result.stderr], [0, 'chatcmpl-1\n', '']);
      assert.deepEqual(spanNames(), ['chat m']);
    });

    test('first line import, before a static import and after one', async () => {
      for (const lines of [
        `import '${registerUrl}';\nimport OpenAI from '${name}';`,
        `import OpenAI from '${name}';\nimport '${registerUrl}';`,
      ]) {
        receiver.requests.splice(0);
        // The first call is made in the module's first synchronous run, before any promise could help.
        const result = await run(`${lines}\n${create}\nconst reply = ask('m');\nconsole.log((await reply).id);`);
        assert.deepEqual([result.code, result.stdout, result.stderr], [0, 'chatcmpl-1\n', '']);
        assert.deepEqual(spanNames(), ['chat m']);
      }
    });

    test('require() as first line covers the CJS copy and the ESM copy loaded later', async () => {
      const source = `require(${JSON.stringify(registerFile)});\nconst OpenAI = require('${name}');\n${create}
(async () => {
  await ask('cjs');
  const { default: Esm } = await import('${name}');
  console.log(Esm === OpenAI);
  const other = new Esm({ apiKey: 'k', baseURL: process.env.MODEL });
  await other.chat.completions.create({ model: 'esm', messages: [] });
})();`;
      const result = await run(source, { format: 'cjs' });
      assert.deepEqual([result.code, result.stdout], [0, 'false\n'], result.stderr);
      assert.deepEqual(spanNames(), ['chat cjs', 'chat esm']);
    });

    test('clients made before the registration, in both copies', async () => {
      const source = `import OpenAI from '${name}';\nimport { createRequire } from 'node:module';\n${create}
const Cjs = createRequire(import.meta.url)('${name}');
const old = new Cjs({ apiKey: 'k', baseURL: process.env.MODEL });
await ask('unseen');
await import('${registerUrl}');
await ask('esm');
await old.chat.completions.create({ model: 'cjs', messages: [] });
await client.withOptions({ timeout: 5000 }).chat.completions.create({ model: 'copy', messages: [] });`;
      const result = await run(source);
      assert.deepEqual([result.code, result.stderr], [0, '']);
      assert.deepEqual(spanNames(), ['chat cjs', 'chat copy', 'chat esm']);
    });

    test('eager loading, as on earlier Node versions', async () => {
      const source = `import '${registerUrl}';\nimport OpenAI from '${name}';\n${create}\nawait ask('m');`;
      const result = await run(source, { env: { SPANWARDEN_LOAD: 'eager' } });
      assert.deepEqual([result.code, result.stderr], [0, '']);
      assert.deepEqual(spanNames(), ['chat m']);
    });
  });
}

test('registering twice and by both module systems makes one span; status() tells what is hooked', async () => {
  const source = `import '${registerUrl}';\nimport OpenAI from 'openai';\nimport { createRequire } from 'node:module';
import { status } from '${indexUrl}';\n${create}
createRequire(import.meta.url)(${JSON.stringify(registerFile)});
await import('${registerUrl}?again');
await ask('m');
const { registered, provider, hooks, failures, export: sent } = status();
console.log(JSON.stringify({ registered, provider, hooks, failures, ended: sent.ended }));`;
  const result = await run(source, { args: preload });
  assert.equal(result.code, 0, result.stderr);
  const status = JSON.parse(result.stdout);
  assert.deepEqual(spanNames(), ['chat m']);
  assert.equal(status.registered, true);
  assert.equal(status.provider, 'own');
  assert.equal(status.ended, 1);
  assert.deepEqual(status.failures, {});
  assert.equal(status.hooks.length, 1);
  assert.equal(status.hooks[0].format, 'esm');
  assert.deepEqual([...status.hooks[0].hooks].sort(), [
    'chat/completions/completions.create',
    'completions.create',
    'embeddings.create',
    'responses/responses.create',
  ]);
});

test('an application without any agent library loads neither one nor an SDK', async () => {
  const source = `import { createRequire } from 'node:module';\nimport { Session } from 'node:inspector';
const session = new Session();\nsession.connect();\nconst loaded = [];
session.on('Debugger.scriptParsed', ({ params }) => loaded.push(params.url));\nsession.post('Debugger.enable');
console.log(loaded.filter((url) => /node_modules\\/(openai|@anthropic-ai|@modelcontextprotocol|@opentelemetry\\/sdk)/.test(url)).length);`;
  const result = await run(source, { args: preload });
  assert.deepEqual([result.code, result.stdout, result.stderr], [0, '0\n', '']);
});

test('OTEL_SDK_DISABLED leaves everything alone', async () => {
  const source = `import OpenAI from 'openai';\nimport { status } from '${indexUrl}';\n${create}
await ask('m');\nconst { hooks, provider } = status();\nconsole.log(JSON.stringify({ hooks, provider }));`;
  const result = await run(source, { args: preload, env: { OTEL_SDK_DISABLED: 'true' } });
  assert.deepEqual(JSON.parse(result.stdout), { hooks: [], provider: 'off' });
  assert.deepEqual(receiver.requests, []);
});
