// Conversations of which every call of a model sends all that was said before, as several emitters tell them.

import { otlpProtobuf, type Plain } from '../collector/src/testing/otlp.ts';
import { words } from './spans.ts';

/** Conversations that go on side by side; a request brings one call of each. */
export const conversations = 8;

/** Characters of new text in a call: a tool's result, what the user says, the answer. */
const newChars = { tool: 1_000, user: 500, answer: 500 } as const;

export const ways = ['whole history', 'new messages only'] as const;
export type Sent = (typeof ways)[number];

interface Message {
  readonly role: string;
  readonly text?: string;
  readonly call?: { readonly id: string; readonly name: string; readonly arguments: object };
  readonly result?: { readonly id: string; readonly text: string };
}

interface Turn {
  readonly before: readonly Message[];
  readonly answer: Message;
}

/** By conversation. */
export type Told = readonly (readonly Turn[])[];

/** A call as an emitter tells it: what was sent, what came back, and the name of the conversation. */
export type Telling = (input: readonly Message[], answer: Message, conversation: string) => Record<string, Plain>;

const openinference: Telling = (input, answer, conversation) => ({
  'openinference.span.kind': 'LLM',
  'llm.system': 'openai',
  'llm.model_name': 'gpt-5',
  'session.id': conversation,
  'agent.name': 'support',
  ...keyed('llm.input_messages', input, 'message.', 'tool_call.function.'),
  ...keyed('llm.output_messages', [answer], 'message.', 'tool_call.function.'),
});

export const tellings = {
  canonical: (input, answer, conversation) => ({
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'openai',
    'gen_ai.request.model': 'gpt-5',
    ...(conversation !== '' && { 'gen_ai.conversation.id': conversation }),
    'gen_ai.agent.name': 'support',
    'gen_ai.input.messages': JSON.stringify(input.map(canonical)),
    'gen_ai.output.messages': JSON.stringify([canonical(answer)]),
  }),
  openinference,
  /** As OpenInference's instrumentations of clients send it: with what went over the wire beside it. */
  'openinference, raw input': (input, answer, conversation) => ({
    ...openinference(input, answer, conversation),
    'input.value': JSON.stringify({ model: 'gpt-5', messages: input.map(raw) }),
    'output.value': JSON.stringify({ choices: [{ message: raw(answer) }] }),
  }),
  openllmetry: (input, answer, conversation) => ({
    'llm.request.type': 'chat',
    'gen_ai.system': 'openai',
    'gen_ai.request.model': 'gpt-5',
    'traceloop.association.properties.session_id': conversation,
    ...keyed('gen_ai.prompt', input, '', ''),
    ...keyed('gen_ai.completion', [answer], '', ''),
  }),
} as const satisfies Readonly<Record<string, Telling>>;

function canonical({ role, text, call, result }: Message): object {
  if (call !== undefined) return { role, parts: [{ type: 'tool_call', ...call }] };
  if (result !== undefined)
    return { role, parts: [{ type: 'tool_call_response', id: result.id, response: result.text }] };
  return { role, parts: [{ type: 'text', content: text }] };
}

/** As OpenAI's API has it. */
function raw({ role, text, call, result }: Message): object {
  if (result !== undefined) return { role, tool_call_id: result.id, content: result.text };
  if (call === undefined) return { role, content: text };
  const { id, name } = call;
  return {
    role,
    tool_calls: [{ id, type: 'function', function: { name, arguments: JSON.stringify(call.arguments) } }],
  };
}

/** An attribute for each part of each message. */
function keyed(name: string, messages: readonly Message[], message: string, call: string): Record<string, string> {
  return Object.fromEntries(
    messages.flatMap((each, i) => {
      const at = `${name}.${i}.${message}`;
      const called = `${at}tool_calls.0.${call}`;
      return [
        [`${at}role`, each.role],
        ...(each.text === undefined ? [] : [[`${at}content`, each.text]]),
        ...(each.result === undefined
          ? []
          : [
              [`${at}content`, each.result.text],
              [`${at}tool_call_id`, each.result.id],
            ]),
        ...(each.call === undefined
          ? []
          : [
              [`${called}id`, each.call.id],
              [`${called}name`, each.call.name],
              [`${called}arguments`, JSON.stringify(each.call.arguments)],
            ]),
      ];
    }),
  );
}

function makeTurn(number: number): Turn {
  const id = `call_${number}`;
  return {
    before: [
      { role: 'user', text: words(newChars.user) },
      { role: 'assistant', call: { id, name: 'orders.read', arguments: { order: number } } },
      { role: 'tool', result: { id, text: words(newChars.tool) } },
    ],
    answer: { role: 'assistant', text: words(newChars.answer) },
  };
}

export function makeTold(length: number): Told {
  return Array.from({ length: conversations }, () => Array.from({ length }, (_, number) => makeTurn(number)));
}

/** One request for each turn, with a call of each conversation. @param name of the conversations; without one only traces hold them together */
export function makeConversations(
  told: Told,
  sent: Sent,
  name = 'conversation',
  telling: Telling = tellings.canonical,
): Buffer[] {
  const start = BigInt(Date.now()) * 1_000_000n;
  return told[0]!.map((_, turn) =>
    otlpProtobuf(
      told.map((conversation, which) => {
        const from = sent === 'whole history' ? 0 : turn;
        const input = conversation
          .slice(from, turn + 1)
          .flatMap(({ before, answer }, i) => [...before, ...(from + i < turn ? [answer] : [])]);
        const at = start + BigInt(turn) * 1_000_000_000n;
        return {
          traceId: `${which}`.padStart(32, 'a'),
          spanId: `${which * 1000 + turn}`.padStart(16, 'b'),
          name: 'chat gpt-5',
          startNanos: at,
          endNanos: at + 500_000_000n,
          attributes: telling(input, conversation[turn]!.answer, name === '' ? '' : `${name}-${which}`),
        };
      }),
    ),
  );
}
