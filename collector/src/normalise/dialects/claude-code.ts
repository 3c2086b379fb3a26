import type { Value } from '../../model/value.ts';
import { member } from '../json-value.ts';
import { ownWords } from './corrections.ts';
import type { Dialect, Reading, SpanSource } from './dialect.ts';
import { either, exceptionType, first, has, mapped, when } from './readings.ts';

const kind = 'span.type';
const isModelCall = has(kind, 'llm_request');
const isTool = has(kind, 'tool');
const isDecision = has(kind, 'tool.blocked_on_user');
const output = 'tool.output';

/**
 * Spans of Claude Code; its log records are read elsewhere (`log-events/claude-code.ts`). `tool.execution` is the inner part of `tool` and
 * says nothing more. Content stands there only where it was told to send some.
 * https://code.claude.com/docs/en/monitoring-usage#traces-beta
 */
export const claudeCode: Dialect = {
  name: 'claude_code',
  marks: { scopes: ['com.anthropic.claude_code.tracing', 'com.anthropic.claude_code.traces'] },
  fields: {
    'gen_ai.operation.name': mapped(first(kind), {
      interaction: 'invoke_agent',
      llm_request: 'chat',
      tool: 'execute_tool',
      'tool.blocked_on_user': 'agent_event',
      hook: 'agent_event',
    }),
    'gen_ai.provider.name': when(isModelCall, first('gen_ai.system')),
    'gen_ai.request.model': when(isModelCall, first('model')),
    'gen_ai.response.id': when(isModelCall, first('request_id')),
    'gen_ai.response.finish_reasons': when(isModelCall, first('stop_reason')),
    'gen_ai.input.messages': first('user_prompt'),
    'gen_ai.tool.name': when(isTool, first('tool_name')),
    'gen_ai.tool.call.id': first('tool_use_id'),
    'gen_ai.tool.call.arguments': when(isTool, toolArguments),
    'gen_ai.tool.call.result': when(isTool, toolOutput('output', 'content')),
    'mcp.method.name': when(isTool, (span) =>
      /^mcp__/.test(String(span.attribute('tool_name'))) ? 'tools/call' : undefined,
    ),
    // What came from the cache stands beside the input tokens; the canonical attribute includes it.
    'gen_ai.usage.input_tokens': when(isModelCall, inputTokens),
    'gen_ai.usage.output_tokens': when(isModelCall, first('output_tokens')),
    'gen_ai.usage.cache_read.input_tokens': when(isModelCall, first('cache_read_tokens')),
    'gen_ai.usage.cache_write.input_tokens': when(isModelCall, first('cache_creation_tokens')),
    'gen_ai.agent.id': first('agent_id'),
    'gen_ai.agent.name': first('agent.name', 'subagent_type'),
    'gen_ai.conversation.id': first('session.id'),
    'spanwarden.agent_event': mapped(first(kind), {
      'tool.blocked_on_user': 'claude_code.tool.blocked_on_user',
      hook: 'claude_code.hook',
    }),
    'spanwarden.decision': when(isDecision, mapped(first('decision'), { accept: 'approved', reject: 'denied' })),
    'spanwarden.decision_source': when(isDecision, first('source')),
    'error.type': either(exceptionType, mapped(first('success'), { false: '_OTHER' })),
  },
  corrects: ownWords,
};

function inputTokens(span: SpanSource): Value | undefined {
  const counts = ['input_tokens', 'cache_read_tokens', 'cache_creation_tokens'].map((name) => span.attribute(name));
  if (counts[0] === undefined) return undefined;
  const known = counts.map((count) => (count === undefined ? 0 : Number(count)));
  return known.every(Number.isFinite) ? known.reduce((sum, count) => sum + count, 0) : counts[0];
}

/** Of what a tool gets, spans have the command, the file, the skill or the kind of sub-agent. */
function toolArguments(span: SpanSource): Value | undefined {
  const command = span.attribute('full_command') ?? toolOutput('bash_command')(span);
  const file = span.attribute('file_path') ?? toolOutput('file_path')(span);
  const skill = span.attribute('skill_name');
  const agent = span.attribute('subagent_type');
  const given = { command, file_path: file, skill, subagent_type: agent };
  const known = Object.entries(given).filter((entry): entry is [string, Value] => entry[1] !== undefined);
  return known.length === 0 ? undefined : Object.fromEntries(known);
}

function toolOutput(...keys: readonly string[]): Reading {
  return (span) => {
    const [event] = span.events(output);
    return keys.map((key) => member(event?.attributes, key)).find((value) => value !== undefined && value !== '');
  };
}
