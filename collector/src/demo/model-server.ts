import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type ChatMessage, nextReply, type Reply, type ToolDefinition } from './model-script.ts';

export const modelName = 'gullible-1';

export interface ModelServerOptions {
  /** How long the model "thinks" before it answers, in milliseconds. Default 0. */
  readonly latencyMs?: number;
}

export interface ModelServer {
  /** Base URL for the OpenAI SDK, with `/v1`. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * A local server that speaks OpenAI's wire protocol on a free loopback port: `GET /v1/models` and
 * `POST /v1/chat/completions`, as JSON and as server-sent events, with tool calls and usage. What it answers is decided
 * by model-script.ts. Any API key is accepted. https://platform.openai.com/docs/api-reference/chat
 */
export async function startModelServer(options: ModelServerOptions = {}): Promise<ModelServer> {
  const server = createServer((request, response) => {
    handle(request, response, options.latencyMs ?? 0).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/v1`, close: () => closeServer(server) };
}

interface ChatRequest {
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly tools?: readonly ToolDefinition[];
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean } | null;
}

const bodyBytesMax = 4 * 1024 * 1024;

async function handle(request: IncomingMessage, response: ServerResponse, latencyMs: number): Promise<void> {
  const path = new URL(request.url ?? '/', 'http://localhost').pathname;
  if (path === '/v1/models') {
    if (request.method !== 'GET') return sendError(response, 405, 'Use GET for this path.');
    const model = { id: modelName, object: 'model', created: 0, owned_by: 'spanwarden-demo' };
    return sendJson(response, 200, { object: 'list', data: [model] });
  }
  if (path !== '/v1/chat/completions') return sendError(response, 404, `Unknown path ${path}.`);
  if (request.method !== 'POST') return sendError(response, 405, 'Use POST for this path.');

  const body = await readBody(request);
  if (body === undefined) return sendError(response, 413, 'The request body is too large.');
  const chat = parseChatRequest(body);
  if (!chat) return sendError(response, 400, 'The body must be JSON with "model" and "messages".');

  const reply = nextReply(chat.messages, chat.tools ?? []);
  const completion = toCompletion(chat, reply, createHash('sha256').update(body).digest('hex'));
  if (latencyMs > 0) await delay(latencyMs);
  if (chat.stream) return sendStream(response, completion, chat.stream_options?.include_usage === true);
  sendJson(response, 200, completion);
}

function parseChatRequest(body: Buffer): ChatRequest | undefined {
  try {
    const parsed = JSON.parse(body.toString('utf8'));
    const good =
      typeof parsed?.model === 'string' && Array.isArray(parsed.messages) && Array.isArray(parsed.tools ?? []);
    return good ? parsed : undefined;
  } catch {
    return undefined;
  }
}

type Completion = ReturnType<typeof toCompletion>;

/** Ids are derived from the request, so that the same request gets the same answer to the byte. */
function toCompletion(chat: ChatRequest, reply: Reply, hash: string) {
  const message =
    reply.kind === 'text'
      ? { role: 'assistant' as const, content: reply.text, refusal: null }
      : {
          role: 'assistant' as const,
          content: null,
          refusal: null,
          tool_calls: [
            {
              id: `call_${hash.slice(0, 24)}`,
              type: 'function' as const,
              function: { name: reply.call.name, arguments: JSON.stringify(reply.call.arguments) },
            },
          ],
        };
  const promptTokens = tokens(JSON.stringify([chat.messages, chat.tools ?? []]));
  const completionTokens = tokens(JSON.stringify(message));
  return {
    id: `chatcmpl-${hash.slice(24, 53)}`,
    object: 'chat.completion' as const,
    created: 0,
    model: chat.model,
    system_fingerprint: 'fp_spanwarden_demo',
    choices: [
      {
        index: 0,
        message,
        logprobs: null,
        finish_reason: reply.kind === 'text' ? ('stop' as const) : ('tool_calls' as const),
      },
    ],
    usage: {
      prompt_tokens: promptTokens,
      completion_tokens: completionTokens,
      total_tokens: promptTokens + completionTokens,
    },
  };
}

/** Roughly how OpenAI's tokenisers count English: four characters to a token. */
function tokens(text: string): number {
  return Math.ceil(text.length / 4);
}

function sendStream(response: ServerResponse, completion: Completion, includeUsage: boolean): void {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
  const { choices, usage, object: _object, ...head } = completion;
  const chunkOf = (rest: object) => ({
    ...head,
    object: 'chat.completion.chunk',
    ...(includeUsage && { usage: null }),
    ...rest,
  });
  const choice = choices[0]!;
  for (const delta of deltasOf(choice.message)) {
    sendEvent(response, chunkOf({ choices: [{ index: 0, delta, logprobs: null, finish_reason: null }] }));
  }
  sendEvent(
    response,
    chunkOf({ choices: [{ index: 0, delta: {}, logprobs: null, finish_reason: choice.finish_reason }] }),
  );
  if (includeUsage) sendEvent(response, chunkOf({ choices: [], usage }));
  response.end('data: [DONE]\n\n');
}

/** As OpenAI streams them: the role first, then text or argument text in pieces. */
function deltasOf(message: Completion['choices'][number]['message']): readonly object[] {
  const call = 'tool_calls' in message ? message.tool_calls?.[0] : undefined;
  if (!call) {
    return [
      { role: 'assistant', content: '', refusal: null },
      ...pieces(message.content ?? '').map((content) => ({ content })),
    ];
  }
  const start = { index: 0, id: call.id, type: 'function', function: { name: call.function.name, arguments: '' } };
  return [
    { role: 'assistant', content: null, tool_calls: [start] },
    ...pieces(call.function.arguments).map((text) => ({ tool_calls: [{ index: 0, function: { arguments: text } }] })),
  ];
}

function pieces(text: string): readonly string[] {
  return text.match(/[\s\S]{1,16}/gu) ?? [];
}

function sendEvent(response: ServerResponse, chunk: object): void {
  response.write(`data: ${JSON.stringify(chunk)}\n\n`);
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function sendError(response: ServerResponse, status: number, message: string): void {
  sendJson(response, status, { error: { message, type: 'invalid_request_error', param: null, code: null } });
}

async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > bodyBytesMax) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
