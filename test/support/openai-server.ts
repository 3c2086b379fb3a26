import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as the SDK sent it. */
export interface OpenAiRequest {
  readonly method: string;
  /** Without `/v1`, e.g. `/chat/completions`. */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Record<string, unknown>;
}

/**
 * What the server answers: the body of an unstreamed reply (a chat completion, a response, embeddings), which it turns
 * into server-sent events by itself when the request asks for a stream; or one of the failures below.
 */
export type OpenAiReply = Record<string, unknown> | WireFailure;

/** `error`: HTTP status and OpenAI's error object. `cut`: the stream's connection breaks after some events; `hold`: it stops. */
export type WireFailure =
  | { readonly wire: 'error'; readonly status: number; readonly message: string; readonly code?: string }
  | { readonly wire: 'text'; readonly status: number; readonly text: string }
  | { readonly wire: 'cut' | 'hold'; readonly afterEvents: number; readonly body: Record<string, unknown> };

export interface OpenAiServer {
  /** Base URL for the SDK, with `/v1`. */
  readonly url: string;
  readonly requests: OpenAiRequest[];
  close(): Promise<void>;
}

/** A server that speaks OpenAI's wire protocol on a free loopback port: JSON, server-sent events, errors and broken streams. */
export async function startOpenAiServer(options: {
  reply(request: OpenAiRequest): OpenAiReply | Promise<OpenAiReply>;
}): Promise<OpenAiServer> {
  const requests: OpenAiRequest[] = [];
  const server = createServer((incoming, response) => {
    void readRequest(incoming).then(async (request) => {
      requests.push(request);
      await answer(response, request, await options.reply(request));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A chat completion with one choice, made of a text or of tool calls. */
export function chatCompletion(
  said: string | { id: string; name: string; arguments: string }[],
): Record<string, unknown> {
  const calls = typeof said === 'string' ? undefined : said;
  const message = calls
    ? { role: 'assistant', content: null, refusal: null, tool_calls: calls.map(({ id, ...fn }) => toolCall(id, fn)) }
    : { role: 'assistant', content: said, refusal: null };
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_700_000_000,
    model: 'gpt-test-2026',
    choices: [{ index: 0, message, logprobs: null, finish_reason: calls ? 'tool_calls' : 'stop' }],
    usage: {
      prompt_tokens: 11,
      completion_tokens: 7,
      total_tokens: 18,
      prompt_tokens_details: { cached_tokens: 3 },
      completion_tokens_details: { reasoning_tokens: 2 },
    },
  };
}

/** A finished object of the Responses API with these output items. */
export function responseObject(
  output: Record<string, unknown>[],
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    id: 'resp_1',
    object: 'response',
    created_at: 1_700_000_000,
    status: 'completed',
    error: null,
    incomplete_details: null,
    model: 'gpt-test-2026',
    output,
    tools: [],
    usage: {
      input_tokens: 21,
      input_tokens_details: { cached_tokens: 5 },
      output_tokens: 9,
      output_tokens_details: { reasoning_tokens: 4 },
      total_tokens: 30,
    },
    ...more,
  };
}

export function outputText(text: string): Record<string, unknown> {
  const content = [{ type: 'output_text', text, annotations: [] }];
  return { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content };
}

function toolCall(id: string, fn: object): Record<string, unknown> {
  return { id, type: 'function', function: fn };
}

async function readRequest(incoming: IncomingMessage): Promise<OpenAiRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return {
    method: incoming.method ?? '',
    path: (incoming.url ?? '').replace(/^\/v1/, ''),
    headers: incoming.headers,
    body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
  };
}

async function answer(response: ServerResponse, request: OpenAiRequest, reply: OpenAiReply): Promise<void> {
  response.setHeader('x-request-id', 'req_1');
  const failure = 'wire' in reply ? (reply as WireFailure) : undefined;
  if (failure?.wire === 'error') {
    const { status, message, code } = failure;
    send(response, status, JSON.stringify({ error: { message, type: 'test_error', param: null, code: code ?? null } }));
  } else if (failure?.wire === 'text') {
    send(response, failure.status, failure.text);
  } else if (request.body.stream === true) {
    await stream(response, request, failure?.body ?? reply, failure);
  } else {
    send(response, 200, JSON.stringify(reply));
  }
}

function send(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(text);
}

async function stream(
  response: ServerResponse,
  request: OpenAiRequest,
  body: Record<string, unknown>,
  failure: Extract<WireFailure, { wire: 'cut' | 'hold' }> | undefined,
): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const events = body.object === 'response' ? responseEvents(body) : chatEvents(body, request);
  for (const [index, event] of events.entries()) {
    if (failure && index === failure.afterEvents) {
      if (failure.wire === 'hold') return;
      // The events written so far must arrive before the connection breaks.
      await new Promise((done) => setTimeout(done, 20));
      response.destroy();
      return;
    }
    const name = typeof event.type === 'string' ? `event: ${event.type}\n` : '';
    response.write(`${name}data: ${JSON.stringify(event)}\n\n`);
  }
  response.end(body.object === 'response' ? undefined : 'data: [DONE]\n\n');
}

interface Choice {
  readonly index: number;
  readonly finish_reason: string;
  readonly message: {
    readonly content: string | null;
    readonly tool_calls?: readonly { readonly function: { readonly name: string; readonly arguments: string } }[];
  };
}

/** An output item of the Responses API: a message or a function call. */
interface Item {
  readonly id: string;
  readonly type: string;
  readonly content?: readonly { readonly text: string }[];
  readonly arguments?: string;
}

/** A completion as chunks: role, pieces of text and of tool arguments, the finish reason, usage if asked for. */
function chatEvents(body: Record<string, unknown>, request: OpenAiRequest): Record<string, unknown>[] {
  const { choices, usage, ...head } = body as { choices: Choice[]; usage: unknown };
  const chunk = (index: number, delta: object, finish: string | null): Record<string, unknown> => ({
    ...head,
    object: 'chat.completion.chunk',
    choices: [{ index, delta, logprobs: null, finish_reason: finish }],
  });
  const events = choices.flatMap(({ index, message, finish_reason: finish }) => [
    chunk(index, { role: 'assistant', content: message.content === null ? null : '' }, null),
    ...pieces(message.content).map((content) => chunk(index, { content }, null)),
    ...(message.tool_calls ?? []).flatMap((call, at) => [
      chunk(
        index,
        { tool_calls: [{ index: at, ...call, function: { name: call.function.name, arguments: '' } }] },
        null,
      ),
      ...pieces(call.function.arguments).map((part) =>
        chunk(index, { tool_calls: [{ index: at, function: { arguments: part } }] }, null),
      ),
    ]),
    chunk(index, {}, finish),
  ]);
  const wantsUsage = (request.body.stream_options as { include_usage?: boolean } | undefined)?.include_usage === true;
  return wantsUsage ? [...events, { ...head, object: 'chat.completion.chunk', choices: [], usage }] : events;
}

function responseEvents(body: Record<string, unknown>): Record<string, unknown>[] {
  const started = { ...body, status: 'in_progress', output: [], usage: null };
  const items = (body.output as Item[]).flatMap((item, output_index) => {
    const isText = item.type === 'message';
    const part = { output_index, item_id: item.id, content_index: 0 };
    const empty = { ...item, status: 'in_progress', ...(isText ? { content: [] } : { arguments: '' }) };
    const text = isText ? item.content?.[0]?.text : item.arguments;
    const kind = isText ? 'response.output_text' : 'response.function_call_arguments';
    const opened = {
      type: 'response.content_part.added',
      ...part,
      part: { type: 'output_text', text: '', annotations: [] },
    };
    return [
      { type: 'response.output_item.added', output_index, item: empty },
      ...(isText ? [opened] : []),
      ...pieces(text).map((delta) => ({ type: `${kind}.delta`, ...part, delta })),
      { type: `${kind}.done`, ...part, [isText ? 'text' : 'arguments']: text },
      { type: 'response.output_item.done', output_index, item },
    ];
  });
  const ended = body.status === 'completed' ? 'completed' : String(body.status);
  const events = [
    { type: 'response.created', response: started },
    { type: 'response.in_progress', response: started },
    ...items,
    { type: `response.${ended}`, response: body },
  ];
  return events.map((event, sequence_number) => ({ ...event, sequence_number }));
}

/** A text in pieces of at most four characters. */
function pieces(text: unknown): string[] {
  return typeof text === 'string' ? (text.match(/[\s\S]{1,4}/g) ?? []) : [];
}
