import { isList, type Value } from '../../model/value.ts';
import { member, parsedOrCut, textMember } from '../json-value.ts';
import { ownWords, sumsOn } from './corrections.ts';
import type { Dialect, Reading } from './dialect.ts';
import { converted, either, exceptionType, first, operationIs, thrown, when } from './readings.ts';

const isTool = operationIs('execute_tool');
const isAgent = operationIs('invoke_agent');

/**
 * Pydantic AI. Its formats since 3 are canonical but for the messages of agents; the second has names of its own for what tools get and
 * give, the first has messages as a list of events.
 * https://ai.pydantic.dev/logfire/
 */
export const pydanticAi: Dialect = {
  name: 'pydantic_ai',
  marks: { scopes: ['pydantic-ai'], attributes: ['pydantic_ai.*', 'all_messages_events'] },
  fields: {
    'gen_ai.operation.name': (span) =>
      span.attribute('gen_ai.tool.name') !== undefined
        ? 'execute_tool'
        : span.attribute('agent_name') !== undefined
          ? 'invoke_agent'
          : undefined,
    'gen_ai.agent.name': first('agent_name'),
    'gen_ai.request.model': first('model_name'),
    'gen_ai.input.messages': converted(first('events'), eventsOf(false)),
    'gen_ai.output.messages': converted(first('events'), eventsOf(true)),
    'gen_ai.tool.call.arguments': when(isTool, first('tool_arguments')),
    'gen_ai.tool.call.result': when(isTool, either(first('tool_response'), thrown)),
    'error.type': exceptionType,
  },
  corrects: { ...ownWords, ...sumsOn(isAgent) },
  lastResort: {
    'gen_ai.input.messages': when(isAgent, either(asked('pydantic_ai.all_messages'), asked('all_messages_events'))),
    'gen_ai.output.messages': when(isAgent, first('final_result')),
  },
};

/** Messages of a run but its last one, which is the answer. */
function asked(name: string): Reading {
  return converted(first(name), (value) => {
    const all = parsedOrCut(value);
    return all !== null && isList(all as Value & object)
      ? withRoles((all as readonly Value[]).slice(0, -1))
      : undefined;
  });
}

/** Of a list of events the choices, or all others. */
function eventsOf(choices: boolean): (value: Value) => Value | undefined {
  return (value) => {
    const all = parsedOrCut(value);
    if (!Array.isArray(all)) return undefined;
    const events = all as readonly Value[];
    return withRoles(events.filter((each) => (textMember(each, 'event.name') === 'gen_ai.choice') === choices));
  };
}

/** Events say the role by their name where they have none. */
function withRoles(events: readonly Value[]): Value {
  return events.map((event) => {
    const role = /^gen_ai\.(system|user|assistant|tool)\.message$/.exec(textMember(event, 'event.name') ?? '')?.[1];
    return role === undefined || member(event, 'role') !== undefined ? event : { ...(event as object), role };
  });
}
