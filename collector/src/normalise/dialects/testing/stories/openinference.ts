import type { Telling } from '../story.ts';
import { words } from '../story.ts';

const scope = { name: '@arizeai/openinference-instrumentation-openai', version: '4.2.7' };
const model = {
  'openinference.span.kind': 'LLM',
  'llm.model_name': 'gpt-5',
  'llm.system': 'openai',
  'session.id': words.session,
};
const tools = {
  'llm.tools.0.tool.json_schema': JSON.stringify({
    type: 'function',
    function: { name: 'find_order', description: words.toolDescription, parameters: words.schema },
  }),
};
const asked = {
  'llm.input_messages.0.message.role': 'system',
  'llm.input_messages.0.message.content': words.system,
  'llm.input_messages.1.message.role': 'user',
  'llm.input_messages.1.message.content': words.question,
};

export const openInferenceTelling: Telling = {
  dialect: 'openinference',
  chatWithTool: [
    {
      name: 'OpenAI Chat Completions',
      scope,
      attributes: {
        ...model,
        ...tools,
        ...asked,
        'input.value': JSON.stringify({ messages: [{ role: 'user', content: 'must not count twice' }] }),
        'llm.output_messages.0.message.role': 'assistant',
        'llm.output_messages.0.message.tool_calls.0.tool_call.id': words.callId,
        'llm.output_messages.0.message.tool_calls.0.tool_call.function.name': 'find_order',
        'llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments': words.call,
        'llm.finish_reason': 'tool_calls',
        'llm.token_count.prompt': 100,
        'llm.token_count.completion': 20,
      },
    },
    {
      name: 'find_order',
      scope,
      attributes: {
        'openinference.span.kind': 'TOOL',
        'session.id': words.session,
        'tool.name': 'find_order',
        'tool.id': words.callId,
        'input.value': words.call,
        'input.mime_type': 'application/json',
        'output.value': words.result,
      },
    },
    {
      name: 'OpenAI Chat Completions',
      scope,
      attributes: {
        ...model,
        ...tools,
        ...asked,
        'llm.input_messages.2.message.role': 'assistant',
        'llm.input_messages.2.message.tool_calls.0.tool_call.id': words.callId,
        'llm.input_messages.2.message.tool_calls.0.tool_call.function.name': 'find_order',
        'llm.input_messages.2.message.tool_calls.0.tool_call.function.arguments': words.call,
        'llm.input_messages.3.message.role': 'tool',
        'llm.input_messages.3.message.content': words.result,
        'llm.input_messages.3.message.tool_call_id': words.callId,
        'llm.output_messages.0.message.role': 'assistant',
        'llm.output_messages.0.message.contents.0.message_content.type': 'text',
        'llm.output_messages.0.message.contents.0.message_content.text': words.answer,
        'llm.finish_reason': 'stop',
        'llm.token_count.prompt': 140,
        'llm.token_count.completion': 10,
      },
    },
  ],
  agentWithMcpError: [
    {
      name: 'clerk.run',
      scope,
      attributes: { 'openinference.span.kind': 'AGENT', 'agent.name': words.agent, 'session.id': words.session },
    },
    {
      name: 'refund',
      scope,
      failed: true,
      attributes: {
        'openinference.span.kind': 'TOOL',
        'session.id': words.session,
        'tool.name': 'refund',
        'tool.id': words.refundCallId,
        'input.value': words.refundCall,
        'output.value': JSON.stringify({ content: [{ type: 'text', text: words.refundError }], isError: true }),
      },
      // OpenInference does not tell an MCP tool from any other.
      instead: { category: ['tool'] },
    },
    {
      name: 'OpenAI Chat Completions',
      scope,
      attributes: {
        ...model,
        'llm.input_messages.0.message.role': 'user',
        'llm.input_messages.0.message.content': words.task,
        'llm.input_messages.1.message.role': 'assistant',
        'llm.input_messages.1.message.tool_calls.0.tool_call.id': words.refundCallId,
        'llm.input_messages.1.message.tool_calls.0.tool_call.function.name': 'refund',
        'llm.input_messages.1.message.tool_calls.0.tool_call.function.arguments': words.refundCall,
        'llm.input_messages.2.message.role': 'tool',
        'llm.input_messages.2.message.content': words.refundError,
        'llm.input_messages.2.message.tool_call_id': words.refundCallId,
        'llm.output_messages.0.message.role': 'assistant',
        'llm.output_messages.0.message.content': words.apology,
        'llm.finish_reason': 'stop',
        'llm.token_count.prompt': 90,
        'llm.token_count.completion': 8,
      },
    },
  ],
  streamedRetrieval: [
    {
      name: 'search',
      scope,
      attributes: {
        'openinference.span.kind': 'RETRIEVER',
        'session.id': words.session,
        'input.value': words.query,
        'retrieval.documents.0.document.content': words.documents[0],
        'retrieval.documents.0.document.score': 0.9,
        'retrieval.documents.1.document.content': words.documents[1],
      },
    },
    {
      name: 'OpenAI Chat Completions',
      scope,
      attributes: {
        ...model,
        'llm.input_messages.0.message.role': 'user',
        'llm.input_messages.0.message.content': words.streamedQuestion,
        'llm.output_messages.0.message.role': 'assistant',
        'llm.output_messages.0.message.content': words.streamed,
        'llm.finish_reason': 'stop',
        'llm.token_count.prompt': 60,
        'llm.token_count.completion': 6,
      },
    },
  ],
};
