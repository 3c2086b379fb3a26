import type { Value } from '../../../../model/value.ts';
import { type ScriptCall, type ScriptMessage, script } from '../script.ts';
import { type Telling, type ToldSpan, words } from '../story.ts';

const session = {
  'traceloop.association.properties.session_id': words.session,
};
const sdk = { name: '@traceloop/node-server-sdk', version: '0.22.0' };
const openai = { name: '@traceloop/instrumentation-openai', version: '0.22.0' };

/** Before 0.23: indexed keys. Tools are decorated functions; nothing says which call a tool answers. */
function model(call: ScriptCall): ToldSpan {
  return {
    name: 'openai.chat',
    scope: openai,
    attributes: {
      'llm.request.type': 'chat',
      'gen_ai.system': 'OpenAI',
      'gen_ai.request.model': 'gpt-5',
      ...session,
      ...flattened('gen_ai.prompt', call.input),
      ...flattened('gen_ai.completion', [call.output]),
      'gen_ai.completion.0.finish_reason': call.finishReason,
      'gen_ai.usage.prompt_tokens': call.inputTokens,
      'gen_ai.usage.completion_tokens': String(call.outputTokens),
      ...(call.offers && {
        'llm.request.functions.0.name': 'find_order',
        'llm.request.functions.0.description': words.toolDescription,
        'llm.request.functions.0.parameters': JSON.stringify(words.schema),
      }),
    },
  };
}

function flattened(prefix: string, messages: readonly ScriptMessage[]): Record<string, Value> {
  const attributes: Record<string, Value> = {};
  for (const [i, { role, content, calls = [], callId }] of messages.entries()) {
    attributes[`${prefix}.${i}.role`] = role;
    if (content !== undefined) attributes[`${prefix}.${i}.content`] = content;
    if (callId !== undefined) attributes[`${prefix}.${i}.tool_call_id`] = callId;
    for (const [k, call] of calls.entries()) {
      attributes[`${prefix}.${i}.tool_calls.${k}.id`] = call.id;
      attributes[`${prefix}.${i}.tool_calls.${k}.name`] = call.name;
      attributes[`${prefix}.${i}.tool_calls.${k}.arguments`] = call.arguments;
    }
  }
  return attributes;
}

function tool(name: string, args: string, result: string): ToldSpan {
  return {
    name: `${name}.tool`,
    scope: sdk,
    attributes: {
      ...session,
      'traceloop.span.kind': 'tool',
      'traceloop.entity.name': name,
      'traceloop.entity.input': JSON.stringify({ args: [JSON.parse(args)], kwargs: {} }),
      'traceloop.entity.output': JSON.stringify(result),
    },
    lacks: ['gen_ai.tool.call.id'],
  };
}

export const openLlmetryTelling: Telling = {
  dialect: 'openllmetry',
  chatWithTool: [model(script.ask), tool('find_order', words.call, words.result), model(script.answer)],
  agentWithMcpError: [
    {
      name: 'clerk.agent',
      scope: sdk,
      attributes: { ...session, 'traceloop.span.kind': 'agent', 'traceloop.entity.name': words.agent },
    },
    { ...tool('refund', words.refundCall, words.refundError), failed: true, instead: { category: ['tool'] } },
    model(script.apologise),
  ],
  streamedRetrieval: [
    {
      name: 'pinecone.query',
      scope: { name: '@traceloop/instrumentation-pinecone', version: '0.22.0' },
      attributes: { ...session, 'db.system': 'Pinecone', 'db.vector.query.top_k': 2 },
      events: words.documents.map((document) => ({
        name: 'db.query.result',
        attributes: { 'db.query.result.document': document, 'db.query.result.score': 0.5 },
      })),
      lacks: ['gen_ai.retrieval.query.text'],
    },
    model(script.stream),
  ],
};
