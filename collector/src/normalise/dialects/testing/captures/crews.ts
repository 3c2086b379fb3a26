import { words } from '../story.ts';
import {
  type Capture,
  callId,
  history,
  plainTool,
  provider,
  reasons,
  refundOffered,
  repeated,
  session,
  unsent,
} from './pick.ts';

/** CrewAI puts a task around what was asked, and what the agent is before what the system says. */
const task = (asked: string, more = '') =>
  `\nCurrent Task: ${asked}\n\nThis is the expected criteria for your final answer: An answer.\n` +
  `you MUST return the actual complete content as the final answer, not a summary.${more}`;
const crewSystem = {
  'spanwarden.text.system': [`You are clerk. ${words.system}\nYour personal goal is: Help customers.`],
};
const crewAsked = { ...crewSystem, 'spanwarden.text.user': [task(words.question)] };
const shopRefund = {
  'spanwarden.tool.definition_hashes': ['shop_refund <hash>'],
  'message.tool.name': ['shop_refund'],
};
const streamed = {
  ...crewSystem,
  'spanwarden.text.user': [task(words.streamedQuestion, '\n\nProvide your complete response:')],
};

const ofModel = [session, provider, 'gen_ai.request.model'];
const asked = ['system', 'user', 'tool_result'].map((what) => `spanwarden.text.${what}`);
const offered = ['spanwarden.tool.definition_hashes'];
const tokens = ['gen_ai.usage.input_tokens', 'gen_ai.usage.output_tokens'];
const oneFound = { 'spanwarden.text.retrieved': ['0', words.documents[0]] };
const refused =
  "Failed to invoke Tool `refund` with parameters {'order': '4711', 'amount': 12.5}. Error: Failed to invoke tool 'refund' with args: " +
  "{'order': '4711', 'amount': 12.5}, got error: Tool 'refund' returned an error: [TextContent(type='text', " +
  `text='${words.refundError}', annotations=None, meta=None)]`;

/** CrewAI and Haystack, each by two instrumentations. */
export const crewCaptures: Readonly<Record<string, Capture>> = {
  'openinference-crewai': {
    dialect: 'crewai',
    chatWithTool: [
      { span: 'gpt-5.llm_call', lacks: [provider, reasons], instead: crewAsked },
      { span: 'find_order.run', lacks: [callId] },
      { span: 'gpt-5.llm_call', nth: 1, lacks: [provider, reasons], instead: crewSystem },
    ],
    agentWithMcpError: [
      {
        span: 'clerk.Refund order 4711..execute',
        instead: { ...repeated, 'spanwarden.text.user': [task(words.task).slice(15)] },
      },
      {
        span: 'shop_refund.run',
        lacks: [callId],
        instead: { ...plainTool, 'gen_ai.tool.name': 'shop_refund' },
      },
      { span: 'gpt-5.llm_call', nth: 1, lacks: [provider, reasons], instead: { ...crewSystem, ...shopRefund } },
    ],
    streamedRetrieval: [unsent, { span: 'gpt-5.llm_call', lacks: [provider, reasons], instead: streamed }],
  },
  'openllmetry-crewai': {
    dialect: 'openllmetry',
    chatWithTool: [
      { span: 'openai.chat', lacks: [session], instead: crewAsked },
      unsent,
      { span: 'openai.chat', nth: 1, lacks: [session], instead: crewSystem },
    ],
    agentWithMcpError: [
      { span: 'clerk.agent', lacks: [session], instead: { 'gen_ai.request.model': 'gpt-5' } },
      unsent,
      { span: 'openai.chat', nth: 1, lacks: [session], instead: { ...crewSystem, ...shopRefund } },
    ],
    streamedRetrieval: [unsent, { span: 'openai.chat', lacks: [session], instead: streamed }],
  },
  haystack: {
    dialect: 'haystack',
    // What a step was asked is text as Python shows it.
    chatWithTool: [
      { span: 'haystack.agent.step.llm', lacks: [...ofModel, ...asked, ...offered] },
      { span: 'haystack.agent.step.tool', lacks: [session, callId] },
      { span: 'haystack.agent.step.llm', nth: 1, lacks: [...ofModel, ...asked, ...offered, ...history] },
    ],
    agentWithMcpError: [
      { span: 'haystack.agent.run', lacks: [session, 'gen_ai.agent.name'], instead: repeated },
      {
        span: 'haystack.agent.step.tool',
        lacks: [session, callId],
        instead: { ...plainTool, 'spanwarden.text.tool_result': [refused] },
      },
      { span: 'haystack.agent.step.llm', nth: 1, lacks: [...ofModel, ...asked, ...history] },
    ],
    streamedRetrieval: [
      { span: 'haystack.component.run', lacks: [session], instead: oneFound },
      { span: 'haystack.component.run', nth: 1, lacks: [session, 'gen_ai.request.model', ...tokens] },
    ],
  },
  'openinference-haystack': {
    dialect: 'haystack',
    // Tools are no components; what they were called with and gave stands as Python shows it.
    chatWithTool: [{ span: 'OpenAIChatGenerator.run' }, unsent, { span: 'OpenAIChatGenerator.run', nth: 1 }],
    agentWithMcpError: [
      { span: 'Agent.run', lacks: ['gen_ai.agent.name'] },
      unsent,
      {
        span: 'OpenAIChatGenerator.run',
        nth: 1,
        instead: refundOffered,
        starts: { 'spanwarden.text.tool_result': 'Failed to invoke Tool `refund`' },
      },
    ],
    streamedRetrieval: [
      { span: 'InMemoryBM25Retriever.run', instead: { 'spanwarden.text.retrieved': [words.documents[0], '0'] } },
      { span: 'OpenAIChatGenerator.run', lacks: tokens },
    ],
  },
};
