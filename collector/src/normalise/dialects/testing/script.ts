import { words } from './story.ts';

/** The messages of the stories in OpenAI's shape, for tellings that derive theirs. */
export interface ScriptMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly content?: string;
  readonly calls?: readonly { readonly id: string; readonly name: string; readonly arguments: string }[];
  readonly callId?: string;
}

export interface ScriptCall {
  readonly input: readonly ScriptMessage[];
  readonly output: ScriptMessage;
  readonly finishReason: 'tool_calls' | 'stop';
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Whether the tool `find_order` is offered. */
  readonly offers: boolean;
}

const asked: readonly ScriptMessage[] = [
  { role: 'system', content: words.system },
  { role: 'user', content: words.question },
];
const findOrder: ScriptMessage = {
  role: 'assistant',
  calls: [{ id: words.callId, name: 'find_order', arguments: words.call }],
};
const refund: ScriptMessage = {
  role: 'assistant',
  calls: [{ id: words.refundCallId, name: 'refund', arguments: words.refundCall }],
};

/** The four model calls, in the order of the stories. */
export const script = {
  ask: {
    input: asked,
    output: findOrder,
    finishReason: 'tool_calls',
    inputTokens: 100,
    outputTokens: 20,
    offers: true,
  },
  answer: {
    input: [...asked, findOrder, { role: 'tool', callId: words.callId, content: words.result }],
    output: { role: 'assistant', content: words.answer },
    finishReason: 'stop',
    inputTokens: 140,
    outputTokens: 10,
    offers: true,
  },
  apologise: {
    input: [
      { role: 'user', content: words.task },
      refund,
      { role: 'tool', callId: words.refundCallId, content: words.refundError },
    ],
    output: { role: 'assistant', content: words.apology },
    finishReason: 'stop',
    inputTokens: 90,
    outputTokens: 8,
    offers: false,
  },
  stream: {
    input: [{ role: 'user', content: words.streamedQuestion }],
    output: { role: 'assistant', content: words.streamed },
    finishReason: 'stop',
    inputTokens: 60,
    outputTokens: 6,
    offers: false,
  },
} as const satisfies Record<string, ScriptCall>;

/** A message as OpenAI's chat API has it. */
export function openAiMessage({ role, content, calls, callId }: ScriptMessage): Record<string, unknown> {
  return {
    role,
    ...(content !== undefined && { content }),
    ...(callId !== undefined && { tool_call_id: callId }),
    ...(calls !== undefined && {
      tool_calls: calls.map((call) => ({
        id: call.id,
        type: 'function',
        function: { name: call.name, arguments: call.arguments },
      })),
    }),
  };
}

/** A message as OTel has it since 1.37. */
export function otelMessage({ role, content, calls = [], callId }: ScriptMessage): Record<string, unknown> {
  const parts: unknown[] = calls.map((call) => ({
    type: 'tool_call',
    id: call.id,
    name: call.name,
    arguments: JSON.parse(call.arguments),
  }));
  if (callId !== undefined) parts.push({ type: 'tool_call_response', id: callId, response: content });
  else if (content !== undefined) parts.unshift({ type: 'text', content });
  return { role, parts };
}

/** The offered tool as OpenAI's chat API has it. */
export const offeredTool = {
  type: 'function',
  function: { name: 'find_order', description: words.toolDescription, parameters: words.schema },
};
