import {
  type ContentAttributes,
  inputMessageAttributes,
  type Message,
  type MessagePart,
  outputMessageAttributes,
  systemInstructionAttributes,
  toolDefinitionAttributes,
} from '../content.ts';
import type { ToolDefinition } from '../hash.ts';
import type { ContentMode } from '../patch.ts';
import { attr, operation } from '../semconv.ts';
import { assembleMessage } from './anthropic-stream.ts';
import { type Api, isObject, type Json, mediaPart, number, objects, text, textPart } from './model-api.ts';

/** Anthropic Messages, also in beta. https://docs.anthropic.com/en/api/messages */
export const messagesApi: Api = {
  operation: operation.chat,
  label: 'anthropic messages',
  request: (body, mode) => ({
    [attr.requestModel]: text(body.model),
    [attr.requestMaxTokens]: number(body.max_tokens),
    [attr.requestTemperature]: number(body.temperature),
    [attr.requestTopP]: number(body.top_p),
    [attr.requestStopSequences]: strings(body.stop_sequences),
    [attr.requestStream]: body.stream === true ? true : undefined,
    ...requestContent(body, mode),
    ...offeredTools(body, mode),
  }),
  reply(value, mode) {
    const usage = isObject(value.usage) ? value.usage : {};
    const details = isObject(usage.output_tokens_details) ? usage.output_tokens_details : {};
    const counts = [usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens].map(number);
    const reason = text(value.stop_reason);
    return {
      [attr.responseId]: text(value.id),
      [attr.responseModel]: text(value.model),
      [attr.responseFinishReasons]: reason === undefined ? undefined : [reason],
      // OTel's input tokens include those read from and written to the cache, Anthropic's do not.
      [attr.usageInputTokens]:
        counts[0] === undefined ? undefined : counts.reduce<number>((sum, n) => sum + (n ?? 0), 0),
      [attr.usageCacheReadInputTokens]: counts[1],
      [attr.usageCacheWriteInputTokens]: counts[2],
      [attr.usageOutputTokens]: number(usage.output_tokens),
      [attr.usageReasoningOutputTokens]: number(details.thinking_tokens),
      ...replyContent(value, mode),
    };
  },
  assemble: assembleMessage,
};

/** What was said to the model, as far as the mode allows. */
export function requestContent(body: Json, mode: ContentMode): ContentAttributes {
  return {
    ...systemInstructionAttributes(contentParts(body.system), mode),
    ...inputMessageAttributes(objects(body.messages).map(inputMessage), mode),
  };
}

/** What the model said, as far as the mode allows. */
export function replyContent(reply: Json, mode: ContentMode): ContentAttributes {
  const message: Message = {
    role: text(reply.role) ?? 'assistant',
    parts: contentParts(reply.content),
    finish_reason: finishReason(reply.stop_reason),
  };
  return outputMessageAttributes([message], mode);
}

/** Definitions and their hashes, of the caller's tools, the provider's and remote MCP servers. */
export function offeredTools(body: Json, mode: ContentMode): ContentAttributes {
  const tools = [...objects(body.tools).map(toolDefinition), ...objects(body.mcp_servers).map(remoteServer)];
  return toolDefinitionAttributes(tools, mode);
}

function inputMessage(message: Json): Message {
  const parts = contentParts(message.content);
  const isToolAnswer = parts.length > 0 && parts.every((part) => part.type === 'tool_call_response');
  // Anthropic sends tool results as user; what a tool says must not pass for what a person says.
  return { role: isToolAnswer ? 'tool' : (text(message.role) ?? 'user'), parts };
}

function contentParts(content: unknown): MessagePart[] {
  if (typeof content === 'string') return content === '' ? [] : [textPart(content)];
  return objects(content).map(contentPart);
}

function contentPart(block: Json): MessagePart {
  const type = text(block.type) ?? 'unknown';
  switch (type) {
    case 'text':
      return textPart(text(block.text) ?? '');
    case 'thinking':
      return { type: 'reasoning', content: text(block.thinking) ?? '' };
    case 'tool_use':
      return toolCall(block);
    case 'server_tool_use':
      return toolCall(block);
    case 'mcp_tool_use':
      return { ...toolCall(block), server: text(block.server_name) };
    case 'image':
    case 'document':
      return sourcePart(type, block);
    default:
      return type.endsWith('tool_result') ? toolAnswer(block) : { type };
  }
}

function toolCall(block: Json): MessagePart {
  return { type: 'tool_call', id: text(block.id) ?? null, name: text(block.name) ?? '', arguments: block.input };
}

function toolAnswer(block: Json): MessagePart {
  return {
    type: 'tool_call_response',
    id: text(block.tool_use_id) ?? null,
    response: answerOf(block.content),
    ...(block.is_error === true && { is_error: true }),
  };
}

/** Plain text where it is only that, else the blocks, without the bytes of media and what only Anthropic can read. */
function answerOf(content: unknown): unknown {
  if (typeof content === 'string') return content;
  const blocks = Array.isArray(content) ? objects(content) : isObject(content) ? [content] : [];
  if (blocks.every((block) => block.type === 'text')) return blocks.map((block) => text(block.text) ?? '').join('\n');
  return blocks.map((block) => {
    if (block.type === 'image' || block.type === 'document') return sourcePart(block.type, block);
    return Object.fromEntries(Object.entries(block).filter(([name]) => !name.startsWith('encrypted_')));
  });
}

function sourcePart(modality: string, block: Json): MessagePart {
  const source = isObject(block.source) ? block.source : {};
  switch (source.type) {
    case 'base64':
      return mediaPart(modality, `data:${text(source.media_type) ?? ''},${text(source.data) ?? ''}`);
    case 'url':
      return mediaPart(modality, text(source.url) ?? '');
    case 'file':
      return { type: 'file', modality, file_id: text(source.file_id) };
    case 'text':
      // A document as text is read by the model like any other text.
      return { type: 'text', content: text(source.data) ?? '', modality };
    case 'content':
      return { type: modality, content: answerOf(source.content) };
    default:
      return { type: modality };
  }
}

function toolDefinition(tool: Json): ToolDefinition {
  const { type, name, description, input_schema: schema, cache_control: _cache, ...settings } = tool;
  const toolName = text(name) ?? text(settings.mcp_server_name) ?? text(type) ?? 'unknown';
  if (type === undefined || type === null || type === 'custom') {
    return { type: 'function', name: toolName, description: text(description), parameters: schema };
  }
  return { type: String(type), name: toolName, description: text(description), parameters: settings };
}

/** Tools of a remote server that Anthropic calls. Its authorization token is left out. */
function remoteServer(server: Json): ToolDefinition {
  const { name, authorization_token: _token, ...settings } = server;
  return { type: 'mcp', name: text(name) ?? 'mcp', parameters: settings };
}

/** OTel's finish reasons inside messages. */
function finishReason(reason: unknown): string {
  switch (reason) {
    case 'end_turn':
    case 'stop_sequence':
      return 'stop';
    case 'tool_use':
      return 'tool_call';
    case 'max_tokens':
    case 'model_context_window_exceeded':
      return 'length';
    case 'refusal':
      return 'content_filter';
    default:
      return text(reason) ?? 'unknown';
  }
}

function strings(value: unknown): string[] | undefined {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : undefined;
}
