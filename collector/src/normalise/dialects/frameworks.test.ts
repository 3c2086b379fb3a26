import assert from 'node:assert/strict';
import test from 'node:test';
import type { Value } from '../../model/value.ts';
import { receive, type SentSpan } from './testing/sent-span.ts';

/** What captured traces do not show: failures, redaction, older versions. */
function read(span: SentSpan, field: string): Value | undefined {
  return receive([span]).value(0, field);
}

test('AI SDK: what a tool threw is what the model read', () => {
  const span: SentSpan = {
    name: 'ai.toolCall',
    scope: { name: 'ai' },
    failed: true,
    attributes: { 'ai.operationId': 'ai.toolCall', 'ai.toolCall.name': 'refund' },
    events: [{ name: 'exception', attributes: { 'exception.type': 'Denied', 'exception.message': 'No refunds.' } }],
  };
  assert.deepEqual(read(span, 'spanwarden.text.tool_result'), ['No refunds.']);
  assert.equal(read(span, 'error.type'), 'Denied');
});

test('AI SDK: objects, reasoning and broken calls make one message', () => {
  const attributes = {
    'ai.operationId': 'ai.generateObject.doGenerate',
    'ai.request.headers.user-agent': 'shop/1 ai/5.0.1 runtime/node',
    'ai.response.reasoning': 'Hm.',
    'ai.response.object': '{"answer":1}',
    'ai.response.toolCalls': '[{"toolName":"a","args":"{\\"x\\":1}"},7,null]',
  };
  const span = { name: 'x', scope: { name: 'ai' }, attributes };
  assert.deepEqual(read(span, 'spanwarden.text.output'), ['Hm.', '{"answer":1}']);
  assert.deepEqual(read(span, 'message.assistant.tool_call.arguments'), ['{"x":1}']);
  assert.equal(read(span, 'spanwarden.dialect_version'), '5.0.1');
});

test('AI SDK: sums of whole runs are not usage, values to store are no query', () => {
  const run = { 'ai.operationId': 'ai.generateText', 'ai.usage.inputTokens': 240 };
  assert.equal(read({ name: 'x', attributes: run }, 'gen_ai.usage.input_tokens'), undefined);
  const stored = { 'ai.operationId': 'ai.embedMany.doEmbed', 'ai.values': ['"a"', '"b"'] };
  assert.equal(read({ name: 'x', attributes: stored }, 'gen_ai.retrieval.query.text'), undefined);
});

test('Langfuse: an error is said by its level', () => {
  const attributes = {
    'langfuse.observation.type': 'tool',
    'langfuse.observation.level': 'ERROR',
    'langfuse.observation.status_message': 'No refunds.',
  };
  const span = { name: 'refund', scope: { name: 'langfuse-sdk' }, attributes };
  assert.equal(read(span, 'error.type'), '_OTHER');
  assert.deepEqual(read(span, 'spanwarden.text.tool_result'), ['No refunds.']);
});

test('Google ADK: what it leaves out is absent', () => {
  const attributes = {
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': 'find_order',
    'gcp.vertex.agent.llm_request': '{}',
    'gcp.vertex.agent.tool_call_args': 'N/A',
    'gcp.vertex.agent.tool_response': '{}',
  };
  const received = receive([{ name: 'execute_tool find_order', scope: { name: 'gcp.vertex.agent' }, attributes }]);
  assert.equal(received.value(0, 'gen_ai.tool.call.arguments'), undefined);
  assert.equal(received.value(0, 'spanwarden.text.tool_result'), undefined);
  assert.deepEqual(received.value(0, 'spanwarden.coverage.missing'), ['tool_arguments', 'tool_result']);
});

test('Mastra: steps show what was asked and proposed', () => {
  const attributes = {
    'mastra.span.type': 'model_step',
    'gen_ai.operation.name': 'agent_step',
    'mastra.model_step.input': '[{"role":"system","content":"Be kind."},{"role":"user","content":"Hello"}]',
    'mastra.model_step.output': '{"text":"","toolCalls":[{"toolCallId":"c","toolName":"find","args":{"a":1}}]}',
  };
  const span = { name: 'agent_step clerk', attributes };
  assert.deepEqual(read(span, 'spanwarden.text.user'), ['Hello']);
  assert.deepEqual(read(span, 'spanwarden.proposed.tool_names'), ['find']);
});

test('Semantic Kernel: reasons by the name of an enum, runs of older agents', () => {
  const attributes = {
    'gen_ai.operation.name': 'invoke_agent',
    'gen_ai.response.finish_reason': 'FinishReason.TOOL_CALLS,FinishReason.STOP',
    'gen_ai.agent.invocation_input': '[{"role":"user","content":"Hello"}]',
  };
  const span = { name: 'invoke_agent clerk', scope: { name: 'Microsoft.SemanticKernel.Diagnostics' }, attributes };
  assert.deepEqual(read(span, 'gen_ai.response.finish_reasons'), ['tool_call', 'stop']);
  assert.deepEqual(read(span, 'spanwarden.text.user'), ['Hello']);
});

test('OpenLIT: lists of tools are offered tools; the method is not the name of the tool', () => {
  const attributes = {
    'mcp.operation.name': 'tools_list',
    'mcp.method': 'unknown',
    'mcp.response.payload': '{"tools":[{"name":"refund","description":"Refunds.","inputSchema":{"type":"object"}}]}',
  };
  const span = { name: 'mcp tools/list', scope: { name: '@openlit/instrumentation-mcp' }, attributes };
  assert.equal(read(span, 'mcp.method.name'), 'tools/list');
  assert.deepEqual(read(span, 'spanwarden.text.tool_definition'), ['refund', 'Refunds.']);
});
