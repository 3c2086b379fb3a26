import type { LogRecord } from './log-record.ts';
import { decisionOf, isFalse, messageOf, numberOf, present, type Said } from './vocabulary.ts';

const bareNames = new Set(['approval_mode_switch', 'plan_execution']);

/**
 * Events of the Gemini CLI: `gemini_cli.*` and a few bare names. Its tool calls have no id, so each record stands alone.
 * https://github.com/google-gemini/gemini-cli/blob/main/docs/cli/telemetry.md
 */
export function geminiCli(record: LogRecord): Said | undefined {
  const isBare = bareNames.has(record.name) && record.resource.get('service.name') === 'gemini-cli';
  if (!record.name.startsWith('gemini_cli.') && !isBare) return undefined;
  const failed = isFalse(record.said('success')) || record.text('error') !== undefined;
  return {
    dialect: 'gemini_cli',
    event: record.name,
    attributes: present({
      'gen_ai.conversation.id': record.text('session.id'),
      'gen_ai.agent.name': record.text('agent_name') ?? 'gemini-cli',
      'gen_ai.request.model': record.text('model'),
      'user.id': record.text('user.email'),
      ...specific(record),
      'error.type': failed ? (record.text('error_type') ?? '_OTHER') : undefined,
    }),
    failed,
  };
}

function specific(record: LogRecord): Readonly<Record<string, string | number | undefined>> {
  switch (record.name) {
    case 'gemini_cli.user_prompt':
      return {
        'gen_ai.operation.name': 'chat',
        'gen_ai.input.messages': messageOf('user', record.text('prompt')),
      };
    case 'gemini_cli.tool_call':
      return {
        'gen_ai.operation.name': 'execute_tool',
        'gen_ai.tool.name': record.text('function_name'),
        'gen_ai.tool.call.arguments': record.text('function_args'),
        'mcp.method.name': record.text('tool_type') === 'mcp' ? 'tools/call' : undefined,
        'spanwarden.decision': decisionOf(record.text('decision')),
      };
    case 'gemini_cli.api_response':
      return {
        'gen_ai.operation.name': 'generate_content',
        'gen_ai.provider.name': 'gcp.gemini',
        'gen_ai.output.messages': record.text('response_text'),
        'gen_ai.usage.input_tokens': numberOf(record.said('input_token_count')),
        'gen_ai.usage.output_tokens': numberOf(record.said('output_token_count')),
        'gen_ai.usage.cache_read.input_tokens': numberOf(record.said('cached_content_token_count')),
        'gen_ai.usage.reasoning.output_tokens': numberOf(record.said('thoughts_token_count')),
      };
    default:
      return {};
  }
}
