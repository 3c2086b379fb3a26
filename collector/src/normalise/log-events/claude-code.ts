import type { Value } from '../../model/value.ts';
import { member, parsedOrCut, textMember } from '../json-value.ts';
import type { LogRecord } from './log-record.ts';
import { decisionOf, isFalse, messageOf, numberOf, present, type Said, sumOf } from './vocabulary.ts';

const prefix = 'claude_code.';
const services = new Set(['claude-code', 'claude-code-desktop']);

/**
 * Events of Claude Code. Tool calls are known by `tool_use_id`: its decision and its result are one tool call. Records may carry the
 * span of the whole turn, so the trace context says where they belong, not what they are about.
 * https://code.claude.com/docs/en/monitoring-usage
 */
export function claudeCode(record: LogRecord): Said | undefined {
  const service = record.text('service.name') ?? record.resource.get('service.name');
  const isOurs =
    record.name.startsWith(prefix) ||
    (typeof record.body === 'string' && record.body.startsWith(prefix)) ||
    record.scopeName.startsWith('com.anthropic.claude_code') ||
    (typeof service === 'string' && services.has(service));
  if (!isOurs || record.name === '') return undefined;
  const event = record.name.startsWith(prefix) ? record.name.slice(prefix.length) : record.name;
  const specific = events[event]?.(record) ?? {};
  const { failed, about, final, ...attributes } = specific;
  return {
    dialect: 'claude_code',
    event: prefix + event,
    attributes: present({
      'gen_ai.conversation.id': record.text('session.id'),
      'gen_ai.agent.name': record.text('agent.name'),
      'gen_ai.request.model': record.text('model'),
      ...(attributes as Readonly<Record<string, Value | undefined>>),
    }),
    ...(failed === true && { failed }),
    ...(about !== undefined && { about }),
    ...(final === true && { final }),
  };
}

type Specific = Readonly<Record<string, unknown>> & Pick<Said, 'failed' | 'about' | 'final'>;

const events: Readonly<Record<string, (record: LogRecord) => Specific>> = Object.assign(Object.create(null), {
  user_prompt: (record: LogRecord) => ({
    'gen_ai.operation.name': 'chat',
    'gen_ai.input.messages': messageOf('user', record.text('prompt')),
  }),
  assistant_response: (record: LogRecord) => ({
    'gen_ai.operation.name': 'chat',
    'gen_ai.output.messages': messageOf('assistant', record.text('response')),
  }),
  api_request: (record: LogRecord) => ({
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'anthropic',
    // Claude Code counts what came from the cache beside its input tokens; the canonical attribute includes it.
    'gen_ai.usage.input_tokens': sumOf(
      numberOf(record.said('input_tokens')),
      numberOf(record.said('cache_read_tokens')),
      numberOf(record.said('cache_creation_tokens')),
    ),
    'gen_ai.usage.output_tokens': numberOf(record.said('output_tokens')),
    'gen_ai.usage.cache_read.input_tokens': numberOf(record.said('cache_read_tokens')),
    'gen_ai.usage.cache_write.input_tokens': numberOf(record.said('cache_creation_tokens')),
  }),
  api_error: (record: LogRecord) => ({
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'anthropic',
    'error.type': record.text('status_code') ?? '_OTHER',
    failed: true,
  }),
  tool_decision: (record: LogRecord) => {
    const decision = decisionOf(record.text('decision'));
    return {
      ...toolCall(record),
      'spanwarden.decision': decision,
      'spanwarden.decision_source': record.text('source'),
      final: decision === 'denied',
    };
  },
  tool_result: (record: LogRecord) => {
    const failed = isFalse(record.said('success'));
    return {
      ...toolCall(record),
      'spanwarden.decision_source': record.text('decision_source'),
      'gen_ai.tool.call.result': record.text('tool_output'),
      'error.type': failed ? (record.text('error_type') ?? '_OTHER') : undefined,
      failed,
      final: true,
    };
  },
});

function toolCall(record: LogRecord): Specific {
  const parameters = parsedOrCut(record.said('tool_parameters'));
  const server = textMember(parameters, 'mcp_server_name');
  const tool = textMember(parameters, 'mcp_tool_name');
  const call = record.text('tool_use_id');
  const input = record.text('tool_input');
  const command = textMember(parameters, 'full_command') ?? textMember(parameters, 'bash_command');
  return {
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': server && tool ? `mcp__${server}__${tool}` : record.text('tool_name'),
    'mcp.method.name': server && tool ? 'tools/call' : undefined,
    'gen_ai.tool.call.id': call,
    'gen_ai.tool.call.arguments': input ?? (command === undefined ? undefined : JSON.stringify({ command })),
    'spanwarden.sandbox_disabled': member(parameters, 'dangerouslyDisableSandbox') === true ? true : undefined,
    ...(call !== undefined && { about: { call } }),
  };
}
