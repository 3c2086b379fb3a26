import type { Value } from '../../../../model/value.ts';
import { offeredTool, openAiMessage, otelMessage, type ScriptCall, type ScriptMessage, script } from '../script.ts';
import type { SentSpan } from '../sent-span.ts';
import { type Telling, type ToldSpan, words } from '../story.ts';

type Attributes = Readonly<Record<string, Value>>;
type Content = Pick<SentSpan, 'attributes' | 'events'>;

const session = { 'gen_ai.conversation.id': words.session };
const definitions = { 'gen_ai.tool.definitions': JSON.stringify([{ type: 'function', ...offeredTool.function }]) };

/** Spans that are canonical beside their model calls, which each generation of OTel wrote in its own way. */
function otelTelling(dialect: string, model: (call: ScriptCall) => ToldSpan): Telling {
  return {
    dialect,
    chatWithTool: [model(script.ask), tool('find_order', words.callId, words.call, words.result), model(script.answer)],
    agentWithMcpError: [
      {
        name: 'invoke_agent clerk',
        attributes: { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': words.agent, ...session },
      },
      {
        ...tool('refund', words.refundCallId, words.refundCall, words.refundError, {
          'mcp.method.name': 'tools/call',
          'mcp.session.id': 'transport-1',
          'error.type': 'tool_error',
        }),
        failed: true,
      },
      model(script.apologise),
    ],
    streamedRetrieval: [
      {
        name: 'retrieval policies',
        attributes: {
          'gen_ai.operation.name': 'retrieval',
          ...session,
          'gen_ai.retrieval.query.text': words.query,
          'gen_ai.retrieval.documents': JSON.stringify(words.documents.map((content) => ({ content, score: 0.5 }))),
        },
      },
      model(script.stream),
    ],
  };
}

function tool(name: string, id: string, args: string, result: string, more: Attributes = {}): ToldSpan {
  return {
    name: `execute_tool ${name}`,
    attributes: {
      'gen_ai.operation.name': 'execute_tool',
      ...session,
      'gen_ai.tool.name': name,
      'gen_ai.tool.call.id': id,
      'gen_ai.tool.call.arguments': args,
      'gen_ai.tool.call.result': result,
      ...more,
    },
  };
}

function chat(call: ScriptCall, names: 'current' | 'older', { attributes, events = [] }: Content): ToldSpan {
  return {
    name: 'chat gpt-5',
    attributes: {
      'gen_ai.operation.name': 'chat',
      [names === 'current' ? 'gen_ai.provider.name' : 'gen_ai.system']: 'openai',
      'gen_ai.request.model': 'gpt-5',
      ...session,
      'gen_ai.response.finish_reasons': [call.finishReason === 'tool_calls' ? 'tool_call' : 'stop'],
      'gen_ai.usage.input_tokens': call.inputTokens,
      'gen_ai.usage.output_tokens': call.outputTokens,
      ...(call.offers ? definitions : {}),
      ...attributes,
    },
    events,
  };
}

/** 1.37 and later: messages as JSON, system text apart. */
function current(call: ScriptCall): ToldSpan {
  const system = call.input.filter(({ role }) => role === 'system');
  return chat(call, 'current', {
    attributes: {
      ...(system.length > 0 && {
        'gen_ai.system_instructions': JSON.stringify(system.map(({ content }) => ({ type: 'text', content }))),
      }),
      'gen_ai.input.messages': JSON.stringify(call.input.filter(({ role }) => role !== 'system').map(otelMessage)),
      'gen_ai.output.messages': JSON.stringify([{ ...otelMessage(call.output), finish_reason: 'stop' }]),
    },
  });
}

/** Up to 1.26: prompt and completion each in a span event, and tokens by their old names. */
function contentEvents(call: ScriptCall): ToldSpan {
  const told = chat(call, 'older', {
    attributes: {
      'gen_ai.usage.prompt_tokens': call.inputTokens,
      'gen_ai.usage.completion_tokens': call.outputTokens,
    },
    events: [
      event('gen_ai.content.prompt', { 'gen_ai.prompt': JSON.stringify(call.input.map(openAiMessage)) }),
      event('gen_ai.content.completion', { 'gen_ai.completion': JSON.stringify([openAiMessage(call.output)]) }),
    ],
  });
  const {
    'gen_ai.operation.name': _,
    'gen_ai.usage.input_tokens': __,
    'gen_ai.usage.output_tokens': ___,
    ...rest
  } = told.attributes;
  return { ...told, attributes: rest };
}

/** 1.28 to 1.36: one event per message, on the span where the emitter was told so. */
function messageEvents(call: ScriptCall): ToldSpan {
  return chat(call, 'older', {
    attributes: {},
    events: [
      ...call.input.map((message) => event(`gen_ai.${message.role}.message`, eventAttributes(message))),
      event('gen_ai.choice', {
        index: 0,
        finish_reason: call.finishReason,
        message: JSON.stringify(openAiMessage(call.output)),
      }),
    ],
  });
}

/** The same events as some write them, with the body as JSON in one attribute. */
function bodyEvents(call: ScriptCall): ToldSpan {
  return chat(call, 'older', {
    attributes: {},
    events: [
      ...call.input.map((message) =>
        event(`gen_ai.${message.role}.message`, {
          'gen_ai.system': 'openai',
          'gen_ai.event.content': JSON.stringify(openAiMessage(message)),
        }),
      ),
      event('gen_ai.choice', {
        'gen_ai.event.content': JSON.stringify({
          index: 0,
          finish_reason: 'stop',
          message: openAiMessage(call.output),
        }),
      }),
    ],
  });
}

/** The event of our day that holds what is kept off the span. */
function detailsEvent(call: ScriptCall): ToldSpan {
  return chat(call, 'current', {
    attributes: {},
    events: [
      event('gen_ai.client.inference.operation.details', {
        'gen_ai.input.messages': JSON.stringify(call.input.map(otelMessage)),
        'gen_ai.output.messages': JSON.stringify([{ ...otelMessage(call.output), finish_reason: 'stop' }]),
      }),
    ],
  });
}

function eventAttributes({ content, calls, callId }: ScriptMessage): Attributes {
  return {
    ...(content !== undefined && { content }),
    ...(callId !== undefined && { id: callId }),
    ...(calls !== undefined && { tool_calls: JSON.stringify(openAiMessage({ role: 'assistant', calls }).tool_calls) }),
  };
}

function event(name: string, attributes: Attributes): { name: string; attributes: Attributes } {
  return { name, attributes };
}

export const otelTellings: readonly Telling[] = [
  otelTelling('OTel 1.37 and later', current),
  otelTelling('OTel up to 1.26', contentEvents),
  otelTelling('OTel 1.28 to 1.36, events on the span', messageEvents),
  otelTelling('OTel 1.28 to 1.36, bodies in one attribute', bodyEvents),
  otelTelling('OTel, details in an event', detailsEvent),
];
