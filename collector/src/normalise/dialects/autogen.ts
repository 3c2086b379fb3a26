import { ownWords } from './corrections.ts';
import type { Dialect } from './dialect.ts';
import { exceptionType, operationIs, thrown, when } from './readings.ts';

/**
 * AutoGen of Microsoft: agents and tools by OTel's names, without their content; it gives its own name for the provider.
 * https://microsoft.github.io/autogen/stable/user-guide/agentchat-user-guide/tracing.html
 */
export const autogen: Dialect = {
  name: 'autogen',
  marks: { scopes: ['autogen-core', 'autogen-core.*'] },
  fields: { 'gen_ai.tool.call.result': when(operationIs('execute_tool'), thrown), 'error.type': exceptionType },
  corrects: ownWords,
};
