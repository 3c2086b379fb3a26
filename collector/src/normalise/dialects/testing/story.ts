import type { CanonicalView } from './canonical-view.ts';
import type { SentSpan } from './sent-span.ts';

/** One dialect's way to tell the three stories: the spans it sends, in the order of `stories`. */
export interface Telling {
  /** Name of the dialect, or of the generation of one. */
  readonly dialect: string;
  readonly chatWithTool: readonly ToldSpan[];
  readonly agentWithMcpError: readonly ToldSpan[];
  readonly streamedRetrieval: readonly ToldSpan[];
}

export interface ToldSpan extends SentSpan {
  /** Fields of the view that the dialect has no place for: the test holds that they are absent. */
  readonly lacks?: readonly string[];
  /** Fields of the view that the dialect can only say in another way, with what it says. */
  readonly instead?: CanonicalView;
  /** The dialect sends no such span at all. */
  readonly unsent?: true;
}

export type StoryName = 'chatWithTool' | 'agentWithMcpError' | 'streamedRetrieval';

const system = 'You are a clerk of a shop.';
const question = 'Where is order 4711?';
const call = '{"order":"4711","verbose":true}';
const result = 'Order 4711 left the warehouse on Monday.';
const answer = 'It left the warehouse on Monday.';

/** What the stories say, for the tellings to use. */
export const words = {
  system,
  question,
  /** Arguments of the tool call `find_order`, as JSON. */
  call,
  callId: 'call_7',
  result,
  answer,
  session: 'session-1',
  agent: 'clerk',
  /** Parameters of the offered tool `find_order`. */
  schema: { type: 'object', properties: { order: { type: 'string', description: 'Order number.' } } },
  toolDescription: 'Finds an order.',
  /** Story 2: an MCP tool that fails. */
  task: 'Refund order 4711.',
  refundCall: '{"order":"4711","amount":12.5}',
  refundCallId: 'call_8',
  refundError: 'Refunds need an approval.',
  apology: 'I may not refund it.',
  /** Story 3. */
  query: 'returns policy',
  documents: ['Returns are free within 30 days.', 'Opened food cannot be returned.'],
  streamed: 'You have 30 days.',
  streamedQuestion: 'How long may I keep it?',
} as const;

const offered = ['find_order <hash>'];
const model = {
  'gen_ai.provider.name': 'openai',
  'gen_ai.request.model': 'gpt-5',
  'gen_ai.conversation.id': words.session,
};

/** The canonical view of every span of every story. Hashes of definitions are masked: they need only be equal. */
export const stories: Readonly<Record<StoryName, readonly CanonicalView[]>> = {
  chatWithTool: [
    {
      category: ['llm'],
      'gen_ai.operation.name': 'chat',
      ...model,
      'spanwarden.text.system': [system],
      'spanwarden.text.user': [question],
      'spanwarden.proposed.tool_names': ['find_order'],
      'spanwarden.tool.definition_hashes': offered,
      'message.assistant.tool_call.arguments': [call],
      'gen_ai.response.finish_reasons': ['tool_call'],
      'gen_ai.usage.input_tokens': 100,
      'gen_ai.usage.output_tokens': 20,
    },
    {
      category: ['tool'],
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.conversation.id': words.session,
      'gen_ai.tool.name': 'find_order',
      'gen_ai.tool.call.id': words.callId,
      'gen_ai.tool.call.arguments': JSON.parse(call),
      'spanwarden.text.tool_result': [result],
    },
    {
      category: ['llm'],
      'gen_ai.operation.name': 'chat',
      ...model,
      'spanwarden.text.system': [system],
      'spanwarden.text.tool_result': [result],
      'spanwarden.text.output': [answer],
      'spanwarden.tool.definition_hashes': offered,
      'message.assistant.tool_call.arguments': [call],
      'message.tool.name': ['find_order'],
      'gen_ai.response.finish_reasons': ['stop'],
      'gen_ai.usage.input_tokens': 140,
      'gen_ai.usage.output_tokens': 10,
    },
  ],
  agentWithMcpError: [
    {
      category: ['agent'],
      'gen_ai.operation.name': 'invoke_agent',
      'gen_ai.conversation.id': words.session,
      'gen_ai.agent.name': words.agent,
    },
    {
      category: ['tool', 'mcp'],
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.conversation.id': words.session,
      'gen_ai.tool.name': 'refund',
      'gen_ai.tool.call.id': words.refundCallId,
      'gen_ai.tool.call.arguments': JSON.parse(words.refundCall),
      'spanwarden.text.tool_result': [words.refundError],
    },
    {
      category: ['llm'],
      'gen_ai.operation.name': 'chat',
      ...model,
      'spanwarden.text.tool_result': [words.refundError],
      'spanwarden.text.output': [words.apology],
      'message.assistant.tool_call.arguments': [words.refundCall],
      'message.tool.name': ['refund'],
      'gen_ai.response.finish_reasons': ['stop'],
      'gen_ai.usage.input_tokens': 90,
      'gen_ai.usage.output_tokens': 8,
    },
  ],
  streamedRetrieval: [
    {
      category: ['retrieval'],
      'gen_ai.operation.name': 'retrieval',
      'gen_ai.conversation.id': words.session,
      'gen_ai.retrieval.query.text': words.query,
      'spanwarden.text.retrieved': [...words.documents],
    },
    {
      category: ['llm'],
      'gen_ai.operation.name': 'chat',
      ...model,
      'spanwarden.text.user': [words.streamedQuestion],
      'spanwarden.text.output': [words.streamed],
      'gen_ai.response.finish_reasons': ['stop'],
      'gen_ai.usage.input_tokens': 60,
      'gen_ai.usage.output_tokens': 6,
    },
  ],
};
