import { type Value, valueText } from '../../model/value.ts';
import { ownWords } from './corrections.ts';
import type { Dialect } from './dialect.ts';
import { converted, exceptionType, first } from './readings.ts';

/**
 * Semantic Kernel, .NET and Python: OTel's names of 1.28 to 1.36 beside some of its own. What models are asked and answer is in log events
 * (Python) or span events (.NET), arguments and results of functions are on spans.
 * https://learn.microsoft.com/semantic-kernel/concepts/enterprise-readiness/observability
 */
export const semanticKernel: Dialect = {
  name: 'semantic_kernel',
  marks: {
    scopes: ['semantic_kernel.*', 'Microsoft.SemanticKernel*'],
    attributes: ['sk.available_functions', 'gen_ai.agent.invocation_input', 'gen_ai.agent.invocation_output'],
  },
  fields: {
    'gen_ai.response.finish_reasons': converted(first('gen_ai.response.finish_reason'), reasons),
    'gen_ai.input.messages': first('gen_ai.agent.invocation_input'),
    'gen_ai.output.messages': first('gen_ai.agent.invocation_output'),
    'gen_ai.tool.definitions': first('gen_ai.agent.tool_definitions'),
    'error.type': exceptionType,
  },
  corrects: ownWords,
};

/** One text for all choices, in Python with the name of the enum before each. */
function reasons(value: Value): Value {
  return valueText(value)
    .slice(0, 1_024)
    .split(',')
    .map((reason) =>
      reason
        .trim()
        .replace(/^FinishReason\./, '')
        .toLowerCase(),
    );
}
