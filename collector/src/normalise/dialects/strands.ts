import { isList, type Value } from '../../model/value.ts';
import { member, parsedOrCut, parsedValue } from '../json-value.ts';
import { ownWords, sumsOn } from './corrections.ts';
import type { Dialect, Reading, SpanSource } from './dialect.ts';
import { either, exceptionType, first, mapped, operationIs, thrown, when } from './readings.ts';

const isTool = operationIs('execute_tool');
const inputEvents = ['gen_ai.system.message', 'gen_ai.user.message', 'gen_ai.assistant.message', 'gen_ai.tool.message'];
const choice = 'gen_ai.choice';

/**
 * Strands Agents: OTel's names of 1.36, or of our day when asked, with messages in span events as Bedrock has them; a tool's arguments are
 * the event of a message, its result the event of a choice.
 * https://strandsagents.com/latest/documentation/docs/user-guide/observability-evaluation/traces/
 */
export const strands: Dialect = {
  name: 'strands',
  marks: { scopes: ['strands.telemetry.tracer', 'strands-agents'], attributes: ['event_loop.cycle_id'] },
  fields: {
    'gen_ai.input.messages': when((span) => !isTool(span), messages),
    'gen_ai.output.messages': when((span) => !isTool(span), answers),
    'gen_ai.tool.call.arguments': when(isTool, eventMember('gen_ai.tool.message', 'content')),
    'gen_ai.tool.call.result': when(isTool, either(eventMember(choice, 'message'), thrown)),
    'gen_ai.response.finish_reasons': either(eventMember(choice, 'finish_reason'), reasonOfAnswer),
    'gen_ai.conversation.id': first('session.id'),
    'error.type': either(exceptionType, mapped(first('gen_ai.tool.status'), { error: 'tool_error' })),
  },
  corrects: {
    ...ownWords,
    ...sumsOn(operationIs('invoke_agent', 'agent_step')),
    'gen_ai.operation.name': mapped(first('gen_ai.operation.name'), { execute_event_loop_cycle: 'agent_step' }),
  },
};

function eventMember(event: string, key: string): Reading {
  return (span) => span.events(event).flatMap(({ attributes }) => member(attributes, key) ?? [])[0];
}

function messages(span: SpanSource): Value | undefined {
  const sent = span.events(...inputEvents).map(({ name, attributes }): Value => {
    const role = name.slice('gen_ai.'.length, -'.message'.length);
    return { role, content: parsedValue(member(attributes, 'content')) ?? '' };
  });
  return sent.length === 0 ? undefined : sent;
}

function answers(span: SpanSource): Value | undefined {
  const given = span.events(choice).map(({ attributes }): Value => {
    const reason = member(attributes, 'finish_reason');
    const content = parsedValue(member(attributes, 'message')) ?? '';
    return { role: 'assistant', content, ...(reason !== undefined && { finish_reason: reason }) };
  });
  return given.length === 0 ? undefined : given;
}

/** Spans of our day have the reason on the message alone. */
function reasonOfAnswer(span: SpanSource): Value | undefined {
  const given = parsedOrCut(span.canonical('gen_ai.output.messages'));
  if (given === undefined || given === null || !isList(given)) return undefined;
  return given.map((message) => member(message, 'finish_reason')).find((reason) => reason !== undefined);
}
