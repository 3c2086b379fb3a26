import { isList, type Value } from '../../model/value.ts';
import { isMap, member, parsedOrCut, parsedValue } from '../json-value.ts';
import type { Dialect, SpanSource } from './dialect.ts';
import { converted, either, first, has, when } from './readings.ts';

const isModel = has('openinference.span.kind', 'LLM');
const isAgent = has('openinference.span.kind', 'AGENT');
const isOpenInference = (span: SpanSource): boolean => span.attribute('openinference.span.kind') !== undefined;
/** A crew and its tasks are around the agent; its tasks call themselves agents, too. */
const isAround = (span: SpanSource): boolean =>
  span.attribute('crewai.crew.id') !== undefined || span.attribute('crewai.task.id') !== undefined;

/**
 * CrewAI by the instrumentations of OpenInference and OpenLLMetry, where they write other things than elsewhere:
 * offered tools in one piece, names of called tools in quotes, proposed calls in the raw output alone.
 * https://github.com/Arize-ai/openinference/tree/main/python/instrumentation/openinference-instrumentation-crewai
 * https://github.com/traceloop/openllmetry/tree/main/packages/opentelemetry-instrumentation-crewai
 */
export const crewAi: Dialect = {
  name: 'crewai',
  marks: {
    scopes: ['openinference.instrumentation.crewai', 'openinference.instrumentation.crewai.*'],
    attributes: ['crewai.*'],
  },
  fields: {
    'gen_ai.input.messages': when(isModel, (span) => withBareNames(span.tree('llm.input_messages'))),
    'gen_ai.output.messages': when(isModel, (span) =>
      span.tree('llm.output_messages') === undefined ? proposedCalls(span.attribute('output.value')) : undefined,
    ),
    'gen_ai.tool.definitions': either(when(isModel, first('llm.tools')), first('crewai.agent.tools')),
    'gen_ai.agent.description': when(isOpenInference, first('agent.backstory')),
    'gen_ai.workflow.name': first('crewai.crew.name'),
  },
  corrects: {
    'gen_ai.operation.name': when(isAround, () => 'invoke_workflow'),
  },
  lastResort: {
    'gen_ai.input.messages': when(isAgent, first('input.value')),
    'gen_ai.output.messages': when(isAgent, converted(first('output.value'), answer)),
  },
};

/** Names of tools in calls of earlier turns stand in quotes, as Python shows texts. */
function withBareNames(list: Value | undefined): Value | undefined {
  if (list === undefined || !isList(list)) return undefined;
  return list.map((item) => {
    const message = member(item, 'message');
    const calls = member(message, 'tool_calls') ?? null;
    return isMap(message) && isList(calls) ? { message: { ...message, tool_calls: calls.map(withBareName) } } : item;
  });
}

function withBareName(call: Value): Value {
  const asked = member(call, 'tool_call');
  const called = member(asked, 'function');
  const name = member(called, 'name');
  if (!isMap(asked) || !isMap(called) || typeof name !== 'string') return call;
  return { tool_call: { ...asked, function: { ...called, name: name.replace(/^'(.*)'$/s, '$1') } } };
}

/** The model's calls of tools as OpenAI writes them, without a message around them. */
function proposedCalls(output: Value | undefined): Value | undefined {
  const calls = parsedOrCut(output) ?? null;
  const isCalls = isList(calls) && calls.length > 0 && calls.every((call) => isMap(member(call, 'function')));
  return isCalls ? [{ role: 'assistant', content: '', tool_calls: calls }] : undefined;
}

/** What the agent said; structured answers are no messages. */
function answer(output: Value): Value | undefined {
  return typeof parsedValue(output) === 'string' ? output : undefined;
}
