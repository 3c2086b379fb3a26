import type { Plain, TestSpan } from './otlp.ts';

/** A call in a trace of its own. */
export interface Call {
  /** Seconds; its number and its trace, too. */
  readonly at: number;
  readonly input?: readonly Plain[];
  readonly output?: readonly Plain[];
  readonly response?: string;
  readonly previous?: string;
  readonly previousName?: string;
  readonly conversation?: string;
  /** The call that a tool carries out. */
  readonly tool?: string;
  readonly agent?: true;
}

export const sessionsStartNanos = 1_900_000_000_000_000_000n;

export function traceOf(number: number): string {
  return `0a${number.toString(16).padStart(30, '0')}`;
}

export function callSpan(call: Call): TestSpan {
  const endNanos = sessionsStartNanos + BigInt(Math.round(call.at * 1000)) * 1_000_000n;
  const messages = (name: string, list: readonly Plain[] | undefined) => list && { [name]: JSON.stringify(list) };
  const { previousName = 'gen_ai.request.previous_response.id' } = call;
  return {
    traceId: traceOf(call.at),
    spanId: call.at.toString(16).padStart(16, '0'),
    startNanos: endNanos - 100_000_000n,
    endNanos,
    attributes: {
      'gen_ai.operation.name': call.agent ? 'invoke_agent' : call.tool === undefined ? 'chat' : 'execute_tool',
      ...messages('gen_ai.input.messages', call.input),
      ...messages('gen_ai.output.messages', call.output),
      ...(call.response !== undefined && { 'gen_ai.response.id': call.response }),
      ...(call.previous !== undefined && { [previousName]: call.previous }),
      ...(call.conversation !== undefined && { 'gen_ai.conversation.id': call.conversation }),
      ...(call.tool !== undefined && { 'gen_ai.tool.call.id': call.tool, 'gen_ai.tool.name': 'a_tool' }),
    },
  };
}

export function user(text: string): Plain {
  return { role: 'user', parts: [{ type: 'text', content: text }] };
}

export function answer(text: string): Plain {
  return { role: 'assistant', parts: [{ type: 'text', content: text }] };
}

/** A message of the model that asks for a tool. */
export function givenCall(id: string): Plain {
  return { role: 'assistant', parts: [{ type: 'tool_call', id, name: 'a_tool', arguments: {} }] };
}

export function result(id: string): Plain {
  return { role: 'tool', parts: [{ type: 'tool_call_response', id, response: 'done' }] };
}
