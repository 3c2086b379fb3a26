import assert from 'node:assert/strict';
import test from 'node:test';
import type { Value } from '../../model/value.ts';
import { type Received, receive, type SentSpan } from './testing/sent-span.ts';

/** Spans of coding agents, by their documentation and source: nobody can run them without an account. */
function one(span: SentSpan): Received & { read(field: string): Value | undefined } {
  const received = receive([span]);
  return { ...received, read: (field) => received.value(0, field) };
}

const claude = { name: 'com.anthropic.claude_code.tracing', version: '1.0.0' };
const gemini = { name: 'gemini-cli', version: 'v1' };

test('Claude Code: what the cache gave is part of the input', () => {
  const span = one({
    name: 'claude_code.llm_request',
    scope: claude,
    attributes: {
      'span.type': 'llm_request',
      'session.id': 's-1',
      model: 'claude-opus-5',
      'gen_ai.system': 'anthropic',
      input_tokens: 2,
      output_tokens: 12,
      cache_read_tokens: 30,
      cache_creation_tokens: 8,
      stop_reason: 'tool_use',
    },
  });
  assert.equal(span.read('gen_ai.operation.name'), 'chat');
  assert.equal(span.read('gen_ai.usage.input_tokens'), 40);
  assert.equal(span.read('gen_ai.request.model'), 'claude-opus-5');
  assert.equal(span.read('gen_ai.conversation.id'), 's-1');
  assert.deepEqual(span.read('gen_ai.response.finish_reasons'), ['tool_call']);
  assert.deepEqual(span.read('spanwarden.coverage.missing'), ['input_messages', 'output_messages']);
});

test('Claude Code: tools by their command and their output, MCP tools by their name', () => {
  const tool = (attributes: Record<string, Value>, events: SentSpan['events'] = []) =>
    one({ name: 'claude_code.tool', scope: claude, attributes: { 'span.type': 'tool', ...attributes }, events });
  const bash = tool({ tool_name: 'Bash', tool_use_id: 't-1', full_command: 'curl http://x.test' }, [
    { name: 'tool.output', attributes: { bash_command: 'curl http://x.test', output: 'hello' } },
  ]);
  assert.equal(bash.read('gen_ai.tool.name'), 'Bash');
  assert.equal(bash.read('gen_ai.tool.call.id'), 't-1');
  assert.equal(bash.read('spanwarden.argument.command'), 'curl http://x.test');
  assert.deepEqual(bash.read('spanwarden.text.tool_result'), ['hello']);
  assert.deepEqual(bash.read('spanwarden.effect.hosts'), ['x.test']);
  assert.equal(tool({ tool_name: 'mcp__shop__refund' }).read('mcp.method.name'), 'tools/call');
  const redacted = tool({ tool_name: 'Bash', full_command: '<REDACTED>' });
  assert.deepEqual(redacted.read('spanwarden.coverage.missing'), ['tool_arguments', 'tool_result']);
});

test('Claude Code: prompts and decisions', () => {
  const turn = { 'span.type': 'interaction', user_prompt: 'Hello' };
  assert.deepEqual(
    one({ name: 'claude_code.interaction', scope: claude, attributes: turn }).read('spanwarden.text.user'),
    ['Hello'],
  );
  const asked = { 'span.type': 'tool.blocked_on_user', decision: 'reject', source: 'user_reject' };
  const span = one({ name: 'claude_code.tool.blocked_on_user', scope: claude, attributes: asked });
  assert.equal(span.read('spanwarden.decision'), 'denied');
  assert.equal(span.read('spanwarden.decision_source'), 'user_reject');
  assert.equal(span.read('spanwarden.agent_event'), 'claude_code.tool.blocked_on_user');
});

test('Gemini CLI: requests of tools under the name of messages are arguments, and no messages', () => {
  const span = one({
    name: 'tool_call',
    scope: gemini,
    attributes: {
      'gen_ai.operation.name': 'tool_call',
      'gen_ai.tool.name': 'run_shell_command',
      'gen_ai.conversation.id': 's-1',
      'gen_ai.input.messages': '{"callId":"c-1","name":"run_shell_command","args":{"command":"rm -rf /"}}',
      'gen_ai.output.messages': '{"status":"success","response":{"resultDisplay":"done"}}',
    },
  });
  assert.equal(span.events.categories(0), 2);
  assert.equal(span.read('gen_ai.operation.name'), 'execute_tool');
  assert.equal(span.read('spanwarden.argument.command'), 'rm -rf /');
  assert.equal(span.read('gen_ai.tool.call.id'), 'c-1');
  assert.deepEqual(span.read('spanwarden.text.tool_result'), ['done']);
  assert.equal(span.read('spanwarden.text.user'), undefined);
  assert.equal(span.read('gen_ai.input.messages'), undefined);
  assert.equal(span.read('spanwarden.coverage.missing'), undefined);
});

test('Gemini CLI: model calls in the words of Gemini', () => {
  const span = one({
    name: 'llm_call',
    scope: gemini,
    attributes: {
      'gen_ai.operation.name': 'llm_call',
      'gen_ai.input.messages': '[{"role":"user","parts":[{"text":"Hello"}]}]',
      'gen_ai.tool.definitions': '[{"functionDeclarations":[{"name":"ls","parametersJsonSchema":{}}]}]',
    },
  });
  assert.equal(span.events.categories(0), 1);
  assert.deepEqual(span.read('spanwarden.text.user'), ['Hello']);
});

test('Codex: turns are runs of an agent', () => {
  const attributes = { 'codex.turn.token_usage.total_tokens': 9, 'conversation.id': 'c', model: 'gpt-5' };
  const span = one({ name: 'session_task.turn', attributes });
  assert.equal(span.read('gen_ai.operation.name'), 'invoke_agent');
  assert.equal(span.read('gen_ai.conversation.id'), 'c');
  assert.equal(span.read('gen_ai.usage.input_tokens'), undefined);
});

test("Anthropic's SDK: what a tool gave stands under its own name", () => {
  const attributes = {
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': 'bash',
    'anthropic.tool_result.content': 'ok',
  };
  const span = one({ name: 'anthropic.tool_use bash', scope: { name: 'com.anthropic.sdk.typescript' }, attributes });
  assert.deepEqual(span.read('spanwarden.text.tool_result'), ['ok']);
});
