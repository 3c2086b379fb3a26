import { chatCompletion, type OpenAiReply, type OpenAiRequest, outputText, responseObject } from './openai-server.ts';
import { type Recorder, settled } from './recorder.ts';

const embedding = Buffer.from(new Float32Array([0.5, 0.25]).buffer).toString('base64');

/** The model's name says what the server does. */
export function replyTo({ path, body }: OpenAiRequest): OpenAiReply {
  const whole = chatCompletion('hello world, how are you');
  const answered = Array.isArray(body.messages) && body.messages.some((message) => message.role === 'tool');
  if (path === '/embeddings') {
    const usage = { prompt_tokens: 4, total_tokens: 4 };
    return { object: 'list', model: 'embed-test', data: [{ object: 'embedding', index: 0, embedding }], usage };
  }
  if (path === '/completions') {
    return {
      id: 'cmpl-1',
      object: 'text_completion',
      model: 'gpt-test-2026',
      choices: [{ index: 0, text: 'ok', finish_reason: 'stop' }],
    };
  }
  switch (body.model) {
    case 'refuse':
      return { wire: 'error', status: 400, message: 'no such thing', code: 'invalid_value' };
    case 'garbage':
      return { wire: 'text', status: 200, text: '{"id":' };
    case 'cut':
      return {
        wire: 'cut',
        afterEvents: 3,
        body: path === '/responses' ? responseObject([outputText('hello world')]) : whole,
      };
    case 'hold':
      return { wire: 'hold', afterEvents: 3, body: whole };
    case 'tools':
      return answered ? whole : chatCompletion([{ id: 'call_1', name: 'add', arguments: '{"a":1,"b":2}' }]);
    case 'json':
      return chatCompletion('{"a":1}');
    case 'failed':
      return responseObject([], { status: 'failed', error: { code: 'server_error', message: 'the model broke' } });
    default:
      return path === '/responses' ? responseObject([outputText('hello world')]) : whole;
  }
}

/** All items of a stream. */
export const collect = async (stream: AsyncIterable<unknown>): Promise<unknown[]> => {
  const seen: unknown[] = [];
  for await (const item of stream) seen.push(item);
  return seen;
};

/** What a caller can tell of an error. */
export const errorOf = async (work: () => Promise<unknown>): Promise<unknown> => {
  try {
    return { gave: await work() };
  } catch (error) {
    const { name, message, status, code, constructor: made } = error as Record<string, unknown> & Error;
    return { name, message, status, code, class: made.name };
  }
};

/** Waits for the spans that are to come: a body nobody parses is waited for by the patch too. */
export async function ended(recorder: Recorder, count: number): Promise<void> {
  for (let turn = 0; turn < 300 && recorder.spans().length < count; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await settled();
}
