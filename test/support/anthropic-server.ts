import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A scripted answer: a message, or an error with its HTTP status. */
export interface AnthropicReply {
  readonly status?: number;
  readonly content?: readonly Readonly<Record<string, unknown>>[];
  readonly stopReason?: string;
  readonly usage?: Readonly<Record<string, number>>;
}

export interface AnthropicServer {
  readonly url: string;
  /** Request bodies and headers so far, oldest first. */
  readonly requests: { readonly body: Record<string, unknown>; readonly headers: IncomingMessage['headers'] }[];
  /** Sets the answers to come; the last one repeats. */
  script(...replies: AnthropicReply[]): void;
  close(): Promise<void>;
}

/** A local server that speaks the Messages protocol, as one JSON body or as server-sent events when asked to stream. */
export async function startAnthropicServer(): Promise<AnthropicServer> {
  let replies: AnthropicReply[] = [{ content: [{ type: 'text', text: 'Hello.' }] }];
  const requests: AnthropicServer['requests'] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
    requests.push({ body, headers: request.headers });
    const reply = replies.length > 1 ? replies.shift() : replies[0];
    answer(response, reply ?? {}, body, requests.length);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    script(...next) {
      replies = next;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function answer(response: ServerResponse, reply: AnthropicReply, body: Record<string, unknown>, count: number): void {
  const headers = { 'request-id': `req_${count}` };
  if (reply.status !== undefined) {
    const error = { type: 'error', error: { type: 'invalid_request_error', message: 'max_tokens: too large' } };
    response.writeHead(reply.status, { ...headers, 'content-type': 'application/json' }).end(JSON.stringify(error));
    return;
  }
  const { content = [], stopReason = 'end_turn', usage = {} } = reply;
  const message = {
    id: `msg_${count}`,
    type: 'message',
    role: 'assistant',
    model: `${String(body.model)}-20260101`,
    content,
    stop_reason: stopReason,
    stop_sequence: null,
    usage: { input_tokens: 5, cache_read_input_tokens: 7, cache_creation_input_tokens: 1, output_tokens: 9, ...usage },
  };
  if (body.stream !== true) {
    response.writeHead(200, { ...headers, 'content-type': 'application/json' }).end(JSON.stringify(message));
    return;
  }
  response.writeHead(200, { ...headers, 'content-type': 'text/event-stream' });
  for (const event of eventsOf(message)) {
    response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  }
  response.end();
}

/** Events of a streamed message. Text and tool input come in two deltas each. */
function* eventsOf(message: {
  readonly content: readonly Readonly<Record<string, unknown>>[];
  readonly stop_reason: string;
  readonly usage: Readonly<Record<string, number>>;
}): Generator<{ readonly type: string; readonly [key: string]: unknown }> {
  const usage = { ...message.usage, output_tokens: 1 };
  yield { type: 'message_start', message: { ...message, content: [], stop_reason: null, usage } };
  for (const [index, block] of message.content.entries()) {
    const text = block.type === 'tool_use' ? JSON.stringify(block.input) : String(block.text ?? block.thinking);
    const middle = text.length >> 1;
    yield { type: 'content_block_start', index, content_block: emptied(block) };
    for (const piece of [text.slice(0, middle), text.slice(middle)]) {
      yield { type: 'content_block_delta', index, delta: deltaOf(block, piece) };
    }
    yield { type: 'content_block_stop', index };
  }
  yield {
    type: 'message_delta',
    delta: { stop_reason: message.stop_reason, stop_sequence: null },
    usage: { output_tokens: message.usage.output_tokens },
  };
  yield { type: 'message_stop' };
}

function emptied(block: Readonly<Record<string, unknown>>): Record<string, unknown> {
  if (block.type === 'tool_use') return { ...block, input: {} };
  return block.type === 'thinking' ? { type: 'thinking', thinking: '', signature: '' } : { type: 'text', text: '' };
}

function deltaOf(block: Readonly<Record<string, unknown>>, piece: string): Record<string, unknown> {
  if (block.type === 'tool_use') return { type: 'input_json_delta', partial_json: piece };
  return block.type === 'thinking' ? { type: 'thinking_delta', thinking: piece } : { type: 'text_delta', text: piece };
}
