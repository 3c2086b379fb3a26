import { words } from '../story.ts';
import {
  agent,
  type Capture,
  embedding,
  model,
  plainTool,
  proposed,
  reasons,
  refundOffered,
  repeated,
  reranking,
  session,
} from './pick.ts';

/** `ai.*`. */
function aiSdk(version: number): Capture {
  // Tools of 4 say nothing that the application said of the call.
  const tool = version === 4 ? { lacks: [session] } : {};
  const run = { ...repeated, ...model, [reasons]: ['stop'], ...(version === 7 && proposed) };
  return {
    dialect: 'ai_sdk',
    chatWithTool: [
      { span: 'ai.generateText.doGenerate', instead: agent },
      { span: 'ai.toolCall', instead: agent, ...tool },
      { span: 'ai.generateText.doGenerate', nth: 1, instead: agent },
    ],
    agentWithMcpError: [
      { span: 'ai.generateText', instead: run },
      { span: 'ai.toolCall', instead: { ...agent, ...plainTool }, ...tool },
      { span: 'ai.generateText.doGenerate', nth: 1, instead: { ...agent, ...refundOffered } },
    ],
    streamedRetrieval: [
      version >= 6
        ? { span: 'ai.rerank', instead: { ...agent, ...reranking }, lacks: ['gen_ai.retrieval.query.text'] }
        : { span: 'ai.embed', instead: { ...agent, ...embedding }, lacks: ['spanwarden.text.retrieved'] },
      { span: 'ai.streamText.doStream', instead: agent },
    ],
  };
}

/** The AI SDK of Vercel. */
export const aiSdkCaptures: Readonly<Record<string, Capture>> = {
  'ai-sdk-4': aiSdk(4),
  'ai-sdk-5': aiSdk(5),
  'ai-sdk-6': aiSdk(6),
  'ai-sdk-7-legacy': aiSdk(7),
  'ai-sdk-7': {
    dialect: 'ai_sdk',
    chatWithTool: [
      { span: 'chat gpt-5', lacks: [session] },
      { span: 'execute_tool find_order', lacks: [session] },
      { span: 'chat gpt-5', nth: 1, lacks: [session] },
    ],
    agentWithMcpError: [
      {
        span: 'invoke_agent gpt-5',
        instead: {
          ...model,
          ...proposed,
          [reasons]: ['stop'],
          'message.tool.name': ['refund'],
          'spanwarden.text.user': [words.task],
          'spanwarden.text.output': [words.apology],
        },
      },
      { span: 'execute_tool refund', lacks: [session], instead: plainTool },
      {
        span: 'chat gpt-5',
        nth: 1,
        lacks: [session],
        // A result in parts keeps the wrapper that the SDK gave it.
        instead: {
          ...refundOffered,
          'spanwarden.text.tool_result': [
            JSON.stringify({ type: 'content', value: [{ type: 'text', text: words.refundError }] }),
          ],
        },
      },
    ],
    streamedRetrieval: [
      { span: 'rerank ranker-1', instead: reranking, lacks: ['gen_ai.retrieval.query.text'] },
      { span: 'chat gpt-5', lacks: [session] },
    ],
  },
};
