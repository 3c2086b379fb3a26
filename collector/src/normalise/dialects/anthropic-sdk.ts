import { ownWords } from './corrections.ts';
import type { Dialect } from './dialect.ts';
import { exceptionType, first } from './readings.ts';

/**
 * Anthropic's SDKs since 0.134 and its API: canonical but for results of tools, reasons and sessions. Calls of the API that are no model
 * calls are spans, too.
 * https://platform.claude.com/docs/en/api/opentelemetry/spans
 */
export const anthropicSdk: Dialect = {
  name: 'anthropic_sdk',
  marks: { scopes: ['com.anthropic.sdk.*', 'com.anthropic.claude-platform'], attributes: ['anthropic.*'] },
  fields: {
    'gen_ai.response.finish_reasons': first('anthropic.message.stop_reason'),
    'gen_ai.tool.call.result': first('anthropic.tool_result.content'),
    'gen_ai.conversation.id': first('anthropic.session.id', 'anthropic.session.thread.id'),
    'error.type': exceptionType,
  },
  corrects: ownWords,
};
