import type { AttributeValue } from '@opentelemetry/api';
import type { MessagePart } from '../content.ts';
import type { ToolDefinition } from '../hash.ts';
import type { ContentMode } from '../patch.ts';

export type SpanAttributes = Record<string, AttributeValue | undefined>;

/** A JSON object of unknown shape: requests and replies are read as such, since every field may be missing or wrong. */
export type Json = Readonly<Record<string, unknown>>;

/** How one API of a model provider is told as a span. All members are pure. */
export interface Api {
  readonly operation: string;
  /** What failures of ours are reported under, e.g. `openai chat`. */
  readonly label: string;
  /** Attributes known when the call is made. */
  request(body: Json, mode: ContentMode): SpanAttributes;
  /** Attributes of a parsed reply, or of what `Assembly.reply` put together. */
  reply(value: Json, mode: ContentMode): SpanAttributes;
  /** For APIs whose reply can be a failure although the request succeeded. */
  failure?(value: Json): { readonly code: string; readonly message: string } | undefined;
  /** Puts a streamed reply together. */
  assemble(bytesMax: number): Assembly;
}

export interface Assembly {
  add(chunk: Json): void;
  /** The reply as far as it came, in the shape of one that was not streamed. */
  reply(): Json;
}

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The objects in a list; an empty list for anything else. */
export function objects(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

export function textPart(content: string): MessagePart {
  return { type: 'text', content };
}

/** A link to media, or for a `data:` URL its type and size: the bytes are neither read by rules nor cheap to send. */
export function mediaPart(modality: string, uri: string): MessagePart {
  const data = /^data:([^;,]{0,100})/.exec(uri);
  if (!data) return { type: 'uri', modality, uri };
  return { type: 'blob', modality, mime_type: data[1] || 'application/octet-stream', bytes: uri.length };
}

/**
 * A tool as offered in `tools`: a function (flat in Responses, under `function` in chat) or one that the provider runs,
 * whose settings stand in for a schema. Credentials of remote MCP servers are left out.
 */
export function toolDefinition(tool: Json): ToolDefinition {
  const type = text(tool.type) ?? 'function';
  const inner = isObject(tool[type]) ? tool[type] : tool;
  const name = text(inner.name) ?? text(inner.server_label) ?? type;
  const description = text(inner.description) ?? text(inner.server_description);
  if (type === 'function') return { type, name, description, parameters: inner.parameters };
  const { type: _t, name: _n, description: _d, headers: _h, authorization: _a, ...settings } = inner;
  return { type, name, description, parameters: settings };
}

/** OTel's finish reasons inside messages. https://github.com/open-telemetry/semantic-conventions-genai */
export function finishReason(reason: unknown): string | undefined {
  switch (reason) {
    case 'tool_calls':
    case 'function_call':
      return 'tool_call';
    case 'max_output_tokens':
    case 'max_tokens':
      return 'length';
    default:
      return text(reason);
  }
}
