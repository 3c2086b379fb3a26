import type { Dialect } from './dialect.ts';
import { exceptionType, first } from './readings.ts';

/**
 * Spans of the Codex CLI; its log records are read elsewhere (`log-events/codex.ts`) and have the content, of which spans have lengths alone.
 * Turns sum up the tokens of their calls.
 * https://github.com/openai/codex/blob/main/docs/config.md#otel
 */
export const codex: Dialect = {
  name: 'codex',
  marks: { attributes: ['codex.turn.*', 'codex.usage.*'] },
  fields: {
    'gen_ai.operation.name': (span) =>
      span.attribute('codex.turn.token_usage.total_tokens') === undefined ? undefined : 'invoke_agent',
    'gen_ai.agent.name': () => 'codex',
    'gen_ai.request.model': first('model', 'slug'),
    'gen_ai.conversation.id': first('conversation.id', 'thread.id'),
    'gen_ai.tool.name': first('tool_name'),
    'gen_ai.tool.call.id': first('call_id'),
    'error.type': exceptionType,
  },
};
