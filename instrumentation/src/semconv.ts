/**
 * Every attribute name we emit, in one place: OpenTelemetry's GenAI and MCP conventions have no stable release, so the
 * strings are copied from github.com/open-telemetry/semantic-conventions-genai and change here only. What OTel has no
 * name for is a fact of our own under `spanwarden.`.
 */
export const attr = {
  operationName: 'gen_ai.operation.name',
  providerName: 'gen_ai.provider.name',
  conversationId: 'gen_ai.conversation.id',
  agentName: 'gen_ai.agent.name',
  agentId: 'gen_ai.agent.id',
  agentVersion: 'gen_ai.agent.version',
  userId: 'user.id',

  requestModel: 'gen_ai.request.model',
  requestMaxTokens: 'gen_ai.request.max_tokens',
  requestTemperature: 'gen_ai.request.temperature',
  requestTopP: 'gen_ai.request.top_p',
  requestSeed: 'gen_ai.request.seed',
  requestChoiceCount: 'gen_ai.request.choice.count',
  requestStopSequences: 'gen_ai.request.stop_sequences',
  requestFrequencyPenalty: 'gen_ai.request.frequency_penalty',
  requestPresencePenalty: 'gen_ai.request.presence_penalty',
  requestEncodingFormats: 'gen_ai.request.encoding_formats',
  requestStream: 'gen_ai.request.stream',
  outputType: 'gen_ai.output.type',
  embeddingsDimensionCount: 'gen_ai.embeddings.dimension.count',

  responseId: 'gen_ai.response.id',
  responseModel: 'gen_ai.response.model',
  responseFinishReasons: 'gen_ai.response.finish_reasons',
  responseTimeToFirstChunk: 'gen_ai.response.time_to_first_chunk',
  usageInputTokens: 'gen_ai.usage.input_tokens',
  usageOutputTokens: 'gen_ai.usage.output_tokens',
  usageCacheReadInputTokens: 'gen_ai.usage.cache_read.input_tokens',
  usageCacheWriteInputTokens: 'gen_ai.usage.cache_write.input_tokens',
  usageReasoningOutputTokens: 'gen_ai.usage.reasoning.output_tokens',

  inputMessages: 'gen_ai.input.messages',
  outputMessages: 'gen_ai.output.messages',
  systemInstructions: 'gen_ai.system_instructions',
  toolDefinitions: 'gen_ai.tool.definitions',

  toolName: 'gen_ai.tool.name',
  toolType: 'gen_ai.tool.type',
  toolDescription: 'gen_ai.tool.description',
  toolCallId: 'gen_ai.tool.call.id',
  toolCallArguments: 'gen_ai.tool.call.arguments',
  toolCallResult: 'gen_ai.tool.call.result',
  promptName: 'gen_ai.prompt.name',

  dataSourceId: 'gen_ai.data_source.id',
  retrievalQueryText: 'gen_ai.retrieval.query.text',
  retrievalDocuments: 'gen_ai.retrieval.documents',
  retrievalTopK: 'gen_ai.retrieval.top_k',

  mcpMethodName: 'mcp.method.name',
  mcpSessionId: 'mcp.session.id',
  mcpProtocolVersion: 'mcp.protocol.version',
  mcpResourceUri: 'mcp.resource.uri',
  jsonrpcRequestId: 'jsonrpc.request.id',
  jsonrpcProtocolVersion: 'jsonrpc.protocol.version',
  rpcResponseStatusCode: 'rpc.response.status_code',
  networkTransport: 'network.transport',
  networkProtocolName: 'network.protocol.name',
  clientAddress: 'client.address',
  clientPort: 'client.port',
  serverAddress: 'server.address',
  serverPort: 'server.port',
  errorType: 'error.type',

  openaiRequestServiceTier: 'openai.request.service_tier',
  openaiResponseServiceTier: 'openai.response.service_tier',
  openaiResponseSystemFingerprint: 'openai.response.system_fingerprint',
  openaiApiType: 'openai.api.type',
  /** The reply this request continues; the provider then holds the messages before it. */
  openaiPreviousResponseId: 'spanwarden.openai.previous_response_id',

  /** `full`, `no_tool_content` or `metadata_only`: tells "nothing was said" from "nothing was captured". */
  contentMode: 'spanwarden.content.mode',
  /** true when messages or values were cut to the byte cap. */
  contentTruncated: 'spanwarden.content.truncated',
  /** Facts that stay when content is off. */
  inputMessageCount: 'spanwarden.input.message_count',
  inputHash: 'spanwarden.input.hash',
  inputBytes: 'spanwarden.input.bytes',
  outputMessageCount: 'spanwarden.output.message_count',
  outputHash: 'spanwarden.output.hash',
  outputBytes: 'spanwarden.output.bytes',
  systemHash: 'spanwarden.system_instructions.hash',
  systemBytes: 'spanwarden.system_instructions.bytes',
  /** JSON list of the tool calls a model proposed, `{id,name,arguments_hash,arguments_bytes}`, when content is off. */
  proposedToolCalls: 'spanwarden.output.tool_calls',
  toolArgumentsHash: 'spanwarden.tool.call.arguments_hash',
  toolArgumentsBytes: 'spanwarden.tool.call.arguments_bytes',
  toolResultHash: 'spanwarden.tool.call.result_hash',
  toolResultBytes: 'spanwarden.tool.call.result_bytes',
  /** Parallel lists: the name of every tool offered and the SHA-256 of its definition in canonical JSON (RFC 8785). */
  toolDefinitionNames: 'spanwarden.tool.definition.names',
  toolDefinitionHashes: 'spanwarden.tool.definition.hashes',
  mcpServerName: 'spanwarden.mcp.server.name',
  mcpServerVersion: 'spanwarden.mcp.server.version',
  mcpServerInstructions: 'spanwarden.mcp.server.instructions',
  mcpClientName: 'spanwarden.mcp.client.name',
  mcpClientVersion: 'spanwarden.mcp.client.version',
  /** Why a stream's span ended: `complete`, `abandoned` (left early), `unread` (never read to the end in time). */
  streamEnd: 'spanwarden.stream.end',
} as const;

export type AttributeName = (typeof attr)[keyof typeof attr];

/** Values of `gen_ai.operation.name`. */
export const operation = {
  chat: 'chat',
  textCompletion: 'text_completion',
  embeddings: 'embeddings',
  executeTool: 'execute_tool',
  invokeAgent: 'invoke_agent',
  createAgent: 'create_agent',
  retrieval: 'retrieval',
} as const;

/** Values of `gen_ai.provider.name` that our patches set. */
export const provider = { openai: 'openai', azureOpenai: 'azure.ai.openai', anthropic: 'anthropic' } as const;

/** Instrumentation scope of every span of ours. */
export const scopeName = '@spanwarden/instrumentation';
