import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { type ModelServer, modelName, startModelServer } from './model-server.ts';

let server: ModelServer;
let openai: OpenAI;

before(async () => {
  server = await startModelServer();
  openai = new OpenAI({ baseURL: server.url, apiKey: 'demo', maxRetries: 0 });
});
after(() => server.close());

const tools: OpenAI.ChatCompletionTool[] = [
  {
    type: 'function',
    function: { name: 'tickets_read', parameters: { type: 'object', properties: { ticket_id: { type: 'string' } } } },
  },
];
const question: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'Please handle ticket 31.' }];

test('lists its model', async () => {
  const models = await openai.models.list();
  assert.deepEqual(
    models.data.map((model) => model.id),
    [modelName],
  );
});

test('answers with a tool call, usage and ids', async () => {
  const completion = await openai.chat.completions.create({ model: modelName, messages: question, tools });
  const choice = completion.choices[0]!;
  assert.equal(choice.finish_reason, 'tool_calls');
  const call = choice.message.tool_calls?.[0];
  assert.ok(call?.type === 'function');
  assert.equal(call.function.name, 'tickets_read');
  assert.deepEqual(JSON.parse(call.function.arguments), { ticket_id: '31' });
  assert.match(call.id, /^call_[0-9a-f]{24}$/);
  assert.match(completion.id, /^chatcmpl-[0-9a-f]{29}$/);
  const { prompt_tokens, completion_tokens, total_tokens } = completion.usage!;
  assert.ok(prompt_tokens > 0 && completion_tokens > 0);
  assert.equal(total_tokens, prompt_tokens + completion_tokens);
});

test('answers the same request with the same bytes', async () => {
  const ask = () => openai.chat.completions.create({ model: modelName, messages: question, tools });
  assert.deepEqual(await ask(), await ask());
});

test('streams the same answer in pieces, with usage when asked for', async () => {
  const whole = await openai.chat.completions.create({ model: modelName, messages: question, tools });
  const stream = openai.chat.completions.stream({
    model: modelName,
    messages: question,
    tools,
    stream_options: { include_usage: true },
  });
  const streamed = await stream.finalChatCompletion();
  const toolCall = streamed.choices[0]!.message.tool_calls?.[0];
  assert.ok(toolCall?.type === 'function');
  assert.deepEqual(JSON.parse(toolCall.function.arguments), { ticket_id: '31' });
  assert.equal(streamed.choices[0]!.finish_reason, 'tool_calls');
  assert.equal(streamed.usage?.completion_tokens, whole.usage?.completion_tokens);
});

test('streams text, and chunks end with [DONE]', async () => {
  const stream = await openai.chat.completions.create({ model: modelName, messages: question, stream: true });
  let text = '';
  let chunks = 0;
  for await (const chunk of stream) {
    chunks += 1;
    text += chunk.choices[0]?.delta.content ?? '';
  }
  assert.ok(chunks > 3);
  assert.match(text, /could not find the order/);
});

test('refuses what the protocol does not know with an OpenAI error', async () => {
  await assert.rejects(
    openai.chat.completions.create({ model: modelName } as OpenAI.ChatCompletionCreateParamsNonStreaming),
    (error) => error instanceof OpenAI.BadRequestError && /"model" and "messages"/.test(error.message),
  );
  await assert.rejects(
    openai.embeddings.create({ model: modelName, input: 'x' }),
    (error) => error instanceof OpenAI.NotFoundError && /Unknown path/.test(error.message),
  );
  const broken = await fetch(`${server.url}/chat/completions`, { method: 'POST', body: '{' });
  assert.equal(broken.status, 400);
  assert.equal((await fetch(`${server.url}/chat/completions`)).status, 405);
});
