import type { AttributeValue } from '@opentelemetry/api';
import { toolArgumentAttributes, toolDefinitionAttributes, toolResultAttributes } from '../content.ts';
import { shortHash, type ToolDefinition } from '../hash.ts';
import type { ContentMode } from '../patch.ts';
import { attr, operation } from '../semconv.ts';

/** What we read of a `Protocol` instance. All of it is internal to the SDKs, so every member may be missing or different. */
export interface ProtocolLike {
  readonly _transport?: TransportLike;
  readonly _requestMessageId?: unknown;
  readonly _requestHandlers?: unknown;
  readonly _requestHandlerAbortControllers?: unknown;
  fallbackRequestHandler?: unknown;
  /** On clients: what this side and the server call themselves. */
  readonly _clientInfo?: unknown;
  readonly _serverVersion?: unknown;
  readonly _instructions?: unknown;
  /** On servers: what this side and the client call themselves. */
  readonly _serverInfo?: unknown;
  readonly _clientVersion?: unknown;
  /** SDK 2.x. */
  readonly _negotiatedProtocolVersion?: unknown;
}

interface TransportLike {
  readonly sessionId?: unknown;
  readonly _url?: unknown;
  readonly _serverParams?: unknown;
  readonly _stdin?: unknown;
  readonly handleRequest?: unknown;
  readonly protocolVersion?: unknown;
}

export interface RequestLike {
  readonly method: string;
  readonly id?: unknown;
  readonly params?: Readonly<Record<string, unknown>> | undefined;
}

export type SpanAttributes = Readonly<Record<string, AttributeValue | undefined>>;

const own = {
  /** Answer of a person to `elicitation/create`: `accept`, `decline` or `cancel`. */
  elicitationAction: 'spanwarden.mcp.elicitation.action',
  /** Stays when content is off, so that changed instructions show. */
  instructionsHash: 'spanwarden.mcp.server.instructions_hash',
} as const;

const nameCharsMax = 256;
const uriCharsMax = 2048;
const instructionsCharsMax = 64 * 1024;
const protocolVersionMetaKey = 'io.modelcontextprotocol/protocolVersion';

/** Versions agreed in `initialize`, which SDK 1.x itself does not keep for every transport. */
const negotiatedVersions = new WeakMap<object, string>();

/** Span name of a request: `tools/call T`, `prompts/get P`, else the method. */
export function spanName(request: RequestLike): string {
  const target = toolName(request) ?? promptName(request);
  return target === undefined ? request.method.slice(0, nameCharsMax) : `${request.method} ${target}`;
}

/** The tool that a `tools/call` names. */
export function toolName({ method, params }: RequestLike): string | undefined {
  return method === 'tools/call' ? text(params?.name, nameCharsMax) : undefined;
}

/** What is known before a request is answered; the same for the asking and the answering side. */
export function requestAttributes(protocol: ProtocolLike, request: RequestLike, mode: ContentMode): SpanAttributes {
  const { method, params } = request;
  const isToolCall = method === 'tools/call';
  return {
    [attr.mcpMethodName]: method.slice(0, nameCharsMax),
    [attr.operationName]: isToolCall ? operation.executeTool : undefined,
    [attr.toolName]: toolName(request),
    [attr.promptName]: promptName(request),
    [attr.mcpResourceUri]: method.startsWith('resources/') ? text(params?.uri, uriCharsMax) : undefined,
    ...(isToolCall && toolArgumentAttributes(params?.arguments, mode)),
    ...connectionAttributes(protocol, request),
  };
}

/** What an answer tells: tool result, tool definitions with their hashes, the server's self-description. */
export function resultAttributes(
  protocol: ProtocolLike,
  request: RequestLike,
  result: unknown,
  mode: ContentMode,
): SpanAttributes {
  if (!isRecord(result)) return {};
  switch (request.method) {
    case 'tools/call': {
      const { _meta, ...said } = result;
      return {
        ...toolResultAttributes(said, mode),
        ...(result.isError === true && { [attr.errorType]: 'tool_error' }),
      };
    }
    case 'tools/list':
      return {
        ...toolDefinitionAttributes(toolDefinitions(result.tools), mode),
        ...instructionAttributes(protocol._instructions, mode),
      };
    case 'initialize':
    case 'server/discover':
      return {
        ...serverAttributes(result.serverInfo),
        ...instructionAttributes(result.instructions, mode),
        [attr.mcpProtocolVersion]: agreedVersion(protocol, result.protocolVersion),
        // HTTP servers hand out the session with this answer.
        [attr.mcpSessionId]: text(protocol._transport?.sessionId, nameCharsMax),
      };
    case 'elicitation/create':
      return { [own.elicitationAction]: text(result.action, nameCharsMax) };
    default:
      return {};
  }
}

/** Code of a JSON-RPC error. The SDKs use two of the numbers for failures of their own, without any answer. */
export function errorAttributes(error: unknown): { attributes: SpanAttributes; type: string | undefined } {
  const code = isRecord(error) ? error.code : undefined;
  if (!Number.isSafeInteger(code)) return { attributes: {}, type: undefined };
  const answered = code !== -32000 && code !== -32001;
  return { attributes: answered ? { [attr.rpcResponseStatusCode]: String(code) } : {}, type: String(code) };
}

/** JSON-RPC ids are strings or numbers; OTel wants a string. */
export function requestIdAttribute(id: unknown): SpanAttributes {
  if (typeof id !== 'number' && typeof id !== 'string') return {};
  return { [attr.jsonrpcRequestId]: String(id).slice(0, nameCharsMax) };
}

/** `tools/list` entries as definitions. Entries without a name are no tools. */
export function toolDefinitions(tools: unknown): ToolDefinition[] {
  if (!Array.isArray(tools)) return [];
  return tools.filter(isRecord).flatMap((tool) => {
    const { name, description, inputSchema, annotations } = tool;
    if (typeof name !== 'string') return [];
    const said = typeof description === 'string' ? description : undefined;
    return [{ name, description: said, parameters: inputSchema, annotations }];
  });
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function promptName({ method, params }: RequestLike): string | undefined {
  return method === 'prompts/get' ? text(params?.name, nameCharsMax) : undefined;
}

function connectionAttributes(protocol: ProtocolLike, request: RequestLike): SpanAttributes {
  const transport = protocol._transport;
  return {
    [attr.mcpSessionId]: text(transport?.sessionId, nameCharsMax),
    [attr.mcpProtocolVersion]: knownVersion(protocol, request),
    ...transportAttributes(transport),
    ...serverAttributes(protocol._serverVersion ?? protocol._serverInfo),
    ...clientAttributes(protocol._clientInfo ?? protocol._clientVersion),
  };
}

/** Transports are told apart by what they hold: class names do not survive bundling. */
function transportAttributes(transport: TransportLike | undefined): SpanAttributes {
  if (!transport) return {};
  if (transport._url instanceof URL) {
    const { protocol, hostname, port } = transport._url;
    const standardPort = protocol === 'https:' || protocol === 'wss:' ? 443 : 80;
    return {
      [attr.networkTransport]: 'tcp',
      [attr.networkProtocolName]: protocol.startsWith('ws') ? 'websocket' : 'http',
      [attr.serverAddress]: hostname.replace(/^\[(.*)\]$/, '$1'),
      [attr.serverPort]: port ? Number(port) : standardPort,
    };
  }
  if (transport._serverParams !== undefined || transport._stdin !== undefined)
    return { [attr.networkTransport]: 'pipe' };
  if (typeof transport.handleRequest === 'function') {
    return { [attr.networkTransport]: 'tcp', [attr.networkProtocolName]: 'http' };
  }
  return {};
}

function serverAttributes(info: unknown): SpanAttributes {
  if (!isRecord(info)) return {};
  return {
    [attr.mcpServerName]: text(info.name, nameCharsMax),
    [attr.mcpServerVersion]: text(info.version, nameCharsMax),
  };
}

function clientAttributes(info: unknown): SpanAttributes {
  if (!isRecord(info)) return {};
  return {
    [attr.mcpClientName]: text(info.name, nameCharsMax),
    [attr.mcpClientVersion]: text(info.version, nameCharsMax),
  };
}

function instructionAttributes(instructions: unknown, mode: ContentMode): SpanAttributes {
  if (typeof instructions !== 'string' || instructions === '') return {};
  return {
    [own.instructionsHash]: shortHash(instructions),
    ...(mode !== 'metadata_only' && { [attr.mcpServerInstructions]: instructions.slice(0, instructionsCharsMax) }),
    ...(instructions.length > instructionsCharsMax && { [attr.contentTruncated]: true }),
  };
}

function agreedVersion(protocol: ProtocolLike, version: unknown): string | undefined {
  const agreed = text(version, nameCharsMax);
  if (agreed !== undefined) negotiatedVersions.set(protocol, agreed);
  return agreed ?? text(protocol._negotiatedProtocolVersion, nameCharsMax);
}

function knownVersion(protocol: ProtocolLike, { method, params }: RequestLike): string | undefined {
  if (method === 'initialize') return text(params?.protocolVersion, nameCharsMax);
  const meta = params?._meta;
  return (
    text(protocol._negotiatedProtocolVersion, nameCharsMax) ??
    negotiatedVersions.get(protocol) ??
    text(protocol._transport?.protocolVersion, nameCharsMax) ??
    (isRecord(meta) ? text(meta[protocolVersionMetaKey], nameCharsMax) : undefined)
  );
}

function text(value: unknown, charsMax: number): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, charsMax) : undefined;
}
