import type { LogRecord } from './log-record.ts';
import { decisionOf, isFalse, messageOf, numberOf, present, type Said } from './vocabulary.ts';

/**
 * Events of the Codex CLI: `codex.*`. Tool calls are known by `call_id`.
 * https://github.com/openai/codex/blob/main/docs/config.md#otel
 */
export function codex(record: LogRecord): Said | undefined {
  if (!record.name.startsWith('codex.')) return undefined;
  const base = {
    'gen_ai.conversation.id': record.text('conversation.id'),
    'gen_ai.agent.name': 'codex',
    'gen_ai.request.model': record.text('model') ?? record.text('slug'),
    'user.id': record.text('user.account_id') ?? record.text('user.email'),
  };
  const call = record.text('call_id');
  const about = call !== undefined && { about: { call } };
  const said = { dialect: 'codex', event: record.name } as const;
  switch (record.name) {
    case 'codex.user_prompt':
      return {
        ...said,
        attributes: present({
          ...base,
          'gen_ai.operation.name': 'chat',
          'gen_ai.input.messages': messageOf('user', record.text('prompt')),
        }),
      };
    case 'codex.tool_decision': {
      const decision = decisionOf(record.text('decision'));
      return {
        ...said,
        attributes: present({
          ...base,
          ...toolCall(record),
          'spanwarden.decision': decision,
          'spanwarden.decision_source': record.text('source')?.toLowerCase(),
        }),
        ...about,
        final: decision === 'denied',
      };
    }
    case 'codex.tool_result': {
      const failed = isFalse(record.said('success'));
      return {
        ...said,
        attributes: present({
          ...base,
          ...toolCall(record),
          'gen_ai.tool.call.result': record.text('output'),
          'error.type': failed ? '_OTHER' : undefined,
        }),
        ...about,
        failed,
        final: true,
      };
    }
    case 'codex.sse_event':
      if (record.text('event.kind') !== 'response.completed') return undefined;
      return { ...said, attributes: present({ ...base, ...usage(record) }) };
    default:
      return { ...said, attributes: present(base) };
  }
}

function usage(record: LogRecord): Readonly<Record<string, string | number | undefined>> {
  return {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'openai',
    'gen_ai.usage.input_tokens': numberOf(record.said('input_token_count')),
    'gen_ai.usage.output_tokens': numberOf(record.said('output_token_count')),
    'gen_ai.usage.cache_read.input_tokens': numberOf(record.said('cached_token_count')),
    'gen_ai.usage.reasoning.output_tokens': numberOf(record.said('reasoning_token_count')),
  };
}

function toolCall(record: LogRecord): Readonly<Record<string, string | undefined>> {
  return {
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': record.text('tool_name'),
    'gen_ai.tool.call.id': record.text('call_id'),
    'gen_ai.tool.call.arguments': record.text('arguments'),
    'mcp.method.name': record.text('mcp_server') === undefined ? undefined : 'tools/call',
  };
}
