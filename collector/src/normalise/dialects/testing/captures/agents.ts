import { words } from '../story.ts';
import {
  agent,
  type Capture,
  callId,
  history,
  type Picked,
  plainTool,
  proposed,
  provider,
  reasons,
  refundOffered,
  repeated,
  session,
  unsent,
} from './pick.ts';

const offered = ['spanwarden.tool.definition_hashes'];
const chain = { 'gen_ai.operation.name': 'invoke_workflow' };
const thrownText = "MCP tool 'refund' on server 'shop' returned an error: Refunds need an approval.";
const retold = `ToolException: ${thrownText}\n Please fix your mistakes.`;
const wholeRun = {
  'gen_ai.request.model': 'gpt-5',
  ...repeated,
  'message.assistant.tool_call.arguments': [words.refundCall],
  'message.tool.name': ['refund'],
};

function pydanticAi(version: number): Capture {
  const [run, tool] = version === 2 ? ['agent run', 'running tool'] : ['invoke_agent clerk', 'execute_tool refund'];
  const { 'spanwarden.text.user': _, ...ofRun } = wholeRun;
  return {
    dialect: 'pydantic_ai',
    chatWithTool: [
      { span: 'chat gpt-5', instead: agent },
      { span: version === 2 ? tool! : 'execute_tool find_order', instead: agent },
      { span: 'chat gpt-5', nth: 1, instead: agent },
    ],
    agentWithMcpError: [
      { span: run!, instead: { ...ofRun, 'spanwarden.text.tool_result': [words.refundError] } },
      { span: tool!, instead: { ...agent, ...plainTool } },
      { span: 'chat gpt-5', nth: 1, instead: { ...agent, ...refundOffered } },
    ],
    streamedRetrieval: [unsent, { span: 'chat gpt-5', instead: agent }],
  };
}

const strandsCall = (nth: number, ...lacks: readonly string[]): Picked => ({
  span: 'chat',
  nth,
  lacks: [provider, ...lacks],
});

/** It gives its own name for the provider; tools are offered on agents alone, by name. */
const strands: Capture = {
  dialect: 'strands',
  chatWithTool: [strandsCall(0, ...offered), { span: 'execute_tool find_order' }, strandsCall(1, ...offered)],
  agentWithMcpError: [
    {
      span: 'invoke_agent clerk',
      instead: {
        'gen_ai.request.model': 'gpt-5',
        ...repeated,
        'spanwarden.text.output': [`${words.apology}\n`],
        [reasons]: ['stop'],
      },
    },
    { span: 'execute_tool refund', instead: plainTool },
    strandsCall(1),
  ],
  streamedRetrieval: [unsent, strandsCall(0)],
};

export const agentCaptures: Readonly<Record<string, Capture>> = {
  'openinference-langchain': {
    dialect: 'openinference',
    chatWithTool: [
      { span: 'ChatOpenAI', instead: agent },
      { span: 'find_order', instead: agent },
      { span: 'ChatOpenAI', nth: 1, instead: agent },
    ],
    agentWithMcpError: [
      { span: 'clerk', instead: chain },
      {
        span: 'refund',
        lacks: [callId],
        instead: { ...agent, ...plainTool },
        starts: { 'spanwarden.text.tool_result': thrownText },
      },
      {
        span: 'ChatOpenAI',
        nth: 1,
        instead: { ...agent, ...refundOffered, 'spanwarden.text.tool_result': [retold] },
      },
    ],
    streamedRetrieval: [{ span: 'Policies' }, { span: 'ChatOpenAI' }],
  },
  'openinference-python-langchain': {
    dialect: 'openinference',
    chatWithTool: [
      { span: 'ChatOpenAI', instead: agent },
      { span: 'find_order', instead: agent },
      { span: 'ChatOpenAI', nth: 1, instead: agent },
    ],
    agentWithMcpError: [
      { span: 'clerk', instead: { ...chain, 'spanwarden.text.user': [words.task] } },
      { span: 'refund', instead: { ...agent, ...plainTool } },
      { span: 'ChatOpenAI', nth: 1, instead: { ...agent, ...refundOffered } },
    ],
    streamedRetrieval: [{ span: 'Policies' }, { span: 'ChatOpenAI' }],
  },
  'openinference-openai-agents': {
    dialect: 'openinference',
    chatWithTool: [
      // It says that the response was completed.
      { span: 'response', instead: { [reasons]: ['stop'] } },
      { span: 'find_order', lacks: [callId] },
      { span: 'response', nth: 1 },
    ],
    agentWithMcpError: [
      { span: 'clerk' },
      { span: 'refund', lacks: [callId], instead: plainTool },
      { span: 'response', nth: 1, instead: refundOffered },
    ],
    streamedRetrieval: [unsent, { span: 'response' }],
  },
  'openinference-openai-agents-js': {
    dialect: 'openinference',
    chatWithTool: [
      { span: 'response', instead: { [reasons]: ['stop'] } },
      { span: 'find_order', lacks: [callId], instead: { [provider]: 'openai' } },
      { span: 'response', nth: 1 },
    ],
    agentWithMcpError: [
      { span: 'clerk', instead: { [provider]: 'openai' } },
      { span: 'refund', lacks: [callId], instead: { ...plainTool, [provider]: 'openai' } },
      { span: 'response', nth: 1, instead: refundOffered },
    ],
    streamedRetrieval: [unsent, { span: 'response' }],
  },
  'langfuse-langgraph': {
    dialect: 'langfuse',
    chatWithTool: [
      { span: 'ChatOpenAI', lacks: [reasons], instead: agent },
      { span: 'find_order', instead: agent },
      { span: 'ChatOpenAI', nth: 1, lacks: [reasons], instead: agent },
    ],
    agentWithMcpError: [
      { span: 'clerk', instead: repeated },
      {
        span: 'refund',
        lacks: [callId],
        instead: { ...agent, ...plainTool, 'spanwarden.text.tool_result': [`ToolException: ${thrownText}`] },
      },
      {
        span: 'ChatOpenAI',
        nth: 1,
        lacks: [reasons],
        instead: { ...agent, ...refundOffered, 'spanwarden.text.tool_result': [retold] },
      },
    ],
    streamedRetrieval: [{ span: 'Policies' }, { span: 'ChatOpenAI', lacks: [reasons] }],
  },
  'openllmetry-langchain': {
    dialect: 'openllmetry',
    // What the model proposes and is offered is left out.
    chatWithTool: [
      { span: 'chat gpt-5', lacks: [...offered, 'spanwarden.proposed.tool_names', ...history] },
      { span: 'execute_tool DynamicStructuredTool' },
      { span: 'chat gpt-5', nth: 1, lacks: [...offered, ...history] },
    ],
    agentWithMcpError: [
      { span: 'workflow CompiledStateGraph', instead: { ...chain, 'gen_ai.agent.name': 'CompiledStateGraph' } },
      {
        span: 'execute_tool DynamicStructuredTool',
        lacks: [callId],
        instead: {
          ...plainTool,
          'gen_ai.tool.name': 'DynamicStructuredTool',
          'spanwarden.text.tool_result': [thrownText],
        },
      },
      { span: 'chat gpt-5', nth: 1, lacks: history, instead: { 'spanwarden.text.tool_result': [retold] } },
    ],
    streamedRetrieval: [unsent, { span: 'chat gpt-5' }],
  },
  'openllmetry-openai-agents': {
    dialect: 'openllmetry',
    chatWithTool: [
      { span: 'openai.response', lacks: [session, 'gen_ai.request.model'] },
      { span: 'find_order.tool', lacks: [session, callId], instead: { [provider]: 'openai' } },
      // Calls of earlier turns have another id than their results.
      { span: 'openai.response', nth: 1, lacks: [session, 'gen_ai.request.model', 'message.tool.name'] },
    ],
    agentWithMcpError: [
      { span: 'clerk.agent', lacks: [session], instead: { [provider]: 'openai' } },
      { span: 'refund.tool', lacks: [session, callId], instead: { ...plainTool, [provider]: 'openai' } },
      {
        span: 'openai.response',
        nth: 1,
        lacks: [session, 'gen_ai.request.model', 'message.tool.name'],
        instead: refundOffered,
      },
    ],
    streamedRetrieval: [unsent, { span: 'openai.response', lacks: [session, 'gen_ai.request.model'] }],
  },
  'pydantic-ai': pydanticAi(5),
  'pydantic-ai-2': pydanticAi(2),
  strands,
  'strands-latest': strands,
  autogen: {
    dialect: 'autogen',
    chatWithTool: [
      unsent,
      {
        span: 'execute_tool find_order',
        lacks: [session, 'gen_ai.tool.call.arguments', 'spanwarden.text.tool_result'],
      },
      unsent,
    ],
    agentWithMcpError: [
      { span: 'invoke_agent clerk', lacks: [session] },
      {
        span: 'execute_tool refund',
        lacks: [session, 'gen_ai.tool.call.arguments'],
        instead: {
          ...plainTool,
          'spanwarden.text.tool_result': ['unhandled errors in a TaskGroup (1 sub-exception)'],
        },
      },
      unsent,
    ],
    streamedRetrieval: [unsent, unsent],
  },
  'agent-framework': {
    dialect: 'agent_framework',
    chatWithTool: [
      { span: 'chat gpt-5', lacks: [session, ...offered] },
      { span: 'execute_tool find_order', lacks: [session] },
      { span: 'chat gpt-5', nth: 1, lacks: [session, ...offered] },
    ],
    agentWithMcpError: [
      {
        span: 'invoke_agent clerk',
        lacks: [session],
        instead: { ...wholeRun, ...proposed, [reasons]: ['stop'] },
      },
      { span: 'execute_tool refund', lacks: [session], instead: plainTool },
      {
        span: 'chat gpt-5',
        nth: 1,
        lacks: [session],
        instead: { 'spanwarden.text.tool_result': [`Error: Function failed. Exception: ${words.refundError}`] },
      },
    ],
    streamedRetrieval: [unsent, { span: 'chat gpt-5', lacks: [session] }],
  },
};
