import {
  agent,
  type Capture,
  callId,
  embedding,
  history,
  type Picked,
  plainTool,
  reasons,
  refundOffered,
  session,
  unsent,
} from './pick.ts';

const offered = ['spanwarden.tool.definition_hashes'];
const noDocuments = ['spanwarden.text.retrieved'];
const mcpSpan: Picked = {
  span: 'MCP send tools/call refund',
  lacks: [session, callId, 'gen_ai.tool.call.arguments', 'spanwarden.text.tool_result'],
};

/** OpenInference's client and its wrappers: tools have no call ids, agents no names. */
function openInference(chat: string, streamed: Partial<Picked>): Capture {
  return {
    dialect: 'openinference',
    chatWithTool: [{ span: chat }, { span: 'find_order', lacks: [callId] }, { span: chat, nth: 1 }],
    agentWithMcpError: [
      { span: 'clerk', lacks: ['gen_ai.agent.name'] },
      { span: 'refund', lacks: [callId], instead: plainTool },
      { span: chat, nth: 1, instead: refundOffered },
    ],
    streamedRetrieval: [{ span: 'search' }, { span: chat, ...streamed }],
  };
}

/** OpenLLMetry says the agent around on every span; a search is a task like any other. */
function openLlmetry(chat: string, mcpTool: number, search: Picked, tokens?: number): Capture {
  return {
    dialect: 'openllmetry',
    chatWithTool: [
      { span: chat, instead: agent },
      { span: 'find_order.tool', lacks: [callId], instead: agent },
      { span: chat, nth: 1, instead: agent },
    ],
    agentWithMcpError: [
      { span: 'clerk.agent' },
      { span: 'refund.tool', nth: mcpTool, lacks: [callId], instead: agent },
      { span: chat, nth: 1, instead: { ...agent, ...refundOffered } },
    ],
    // What a stream took is not asked for, but counted anew in JavaScript.
    streamedRetrieval: [
      search,
      { span: chat, instead: tokens === undefined ? {} : { 'gen_ai.usage.input_tokens': tokens } },
    ],
  };
}

/** OTel's own package for Python: the model alone; tools it is offered are not captured. */
const otelPython: Capture = {
  dialect: 'otel_genai',
  chatWithTool: [
    { span: 'chat gpt-5', lacks: [session, ...offered] },
    unsent,
    { span: 'chat gpt-5', nth: 1, lacks: [session, ...offered] },
  ],
  agentWithMcpError: [
    unsent,
    { ...mcpSpan, dialect: 'mcp_python_sdk' },
    { span: 'chat gpt-5', nth: 1, lacks: [session] },
  ],
  streamedRetrieval: [
    {
      span: 'embeddings text-embedding-3-small',
      lacks: [session, 'gen_ai.retrieval.query.text', ...noDocuments],
      instead: embedding,
    },
    { span: 'chat gpt-5', lacks: [session, reasons] },
  ],
};

const logfireCall = 'Chat Completion with {request_data[model]!r}';

export const clientCaptures: Readonly<Record<string, Capture>> = {
  // What was said is in log records.
  'otel-openai': {
    dialect: 'otel_genai',
    joined: true,
    chatWithTool: [
      { span: 'chat gpt-5', lacks: [session, ...offered] },
      unsent,
      { span: 'chat gpt-5', nth: 1, lacks: [session, ...offered] },
    ],
    agentWithMcpError: [unsent, unsent, { span: 'chat gpt-5', nth: 1, lacks: [session] }],
    streamedRetrieval: [
      {
        span: 'embeddings text-embedding-3-small',
        lacks: [session, 'gen_ai.retrieval.query.text', ...noDocuments],
        instead: embedding,
      },
      { span: 'chat gpt-5', lacks: [session] },
    ],
  },
  'otel-openai-v2': otelPython,
  'otel-openai-v2-events': { ...otelPython, joined: true },
  'openinference-openai': openInference('OpenAI Chat Completions', {
    lacks: ['gen_ai.usage.input_tokens', 'gen_ai.usage.output_tokens'],
  }),
  'openinference-python': openInference('ChatCompletion', {}),
  'openllmetry-openai': openLlmetry('chat gpt-5', 0, unsent, 7),
  'openllmetry-python': openLlmetry('openai.chat', 1, {
    span: 'openai.embeddings',
    lacks: noDocuments,
    instead: embedding,
  }),
  'openlit-python': {
    dialect: 'openlit',
    // Messages of the assistant that have calls of tools alone are left out.
    chatWithTool: [
      { span: 'chat gpt-5', lacks: [session, ...offered] },
      unsent,
      {
        span: 'chat gpt-5',
        nth: 1,
        lacks: [session, ...offered, ...history],
        instead: { 'spanwarden.text.user': ['Where is order 4711?'] },
      },
    ],
    agentWithMcpError: [
      unsent,
      { span: 'mcp tools/call', lacks: [session, callId] },
      {
        span: 'chat gpt-5',
        nth: 1,
        lacks: [session, ...history],
        instead: { 'spanwarden.text.user': ['Refund order 4711.'] },
      },
    ],
    streamedRetrieval: [
      { span: 'embeddings text-embedding-3-small', lacks: [session, ...noDocuments], instead: embedding },
      { span: 'chat gpt-5', lacks: [session] },
    ],
  },
  logfire: {
    dialect: 'logfire',
    chatWithTool: [{ span: logfireCall, lacks: [session] }, unsent, { span: logfireCall, nth: 1, lacks: [session] }],
    agentWithMcpError: [
      unsent,
      { span: 'MCP request: tools/call refund', lacks: [session, callId] },
      { span: logfireCall, nth: 1, lacks: [session], instead: refundOffered },
    ],
    streamedRetrieval: [
      {
        span: 'Embedding Creation with {request_data[model]!r}',
        lacks: [session, 'gen_ai.retrieval.query.text', ...noDocuments],
        instead: embedding,
      },
      // A streamed answer is a span of its own.
      { span: 'streaming response from {request_data[model]!r} took {duration:.2f}s', lacks: [session] },
    ],
  },
};
