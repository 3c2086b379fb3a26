import { isList, type Value, type ValueMap, valueText } from '../../model/value.ts';
import { isMap, member, parsedValue } from '../json-value.ts';
import type { Dialect, Reading, SpanSource } from './dialect.ts';
import { canonicalProvider } from './providers.ts';
import { converted, either, exceptionType, first, indexedList, operationIs, when } from './readings.ts';

const inputEvents = ['gen_ai.system.message', 'gen_ai.user.message', 'gen_ai.assistant.message', 'gen_ai.tool.message'];
const detailsEvent = 'gen_ai.client.inference.operation.details';

/** Instrumentations of OpenAI's Responses; the second OpenLLMetry and OpenLIT as well. */
const previousResponse = ['gen_ai.request.previous_response_id', 'gen_ai.openai.request.previous_response_id'] as const;

const isStep = operationIs('execute_tool', 'retrieval', 'embeddings');
/** LangSmith writes what goes into tools and retrievers under the names of prompts: it must not pass for words of the user. */
const isModelCall = (span: SpanSource): boolean => !isStep(span);

/**
 * OTel's own names before 1.37, and those that followed them: `gen_ai.system`, prompts and completions as indexed keys (OpenLLMetry's
 * idea), as one attribute, as span events (1.27) or as one event per message (1.28 to 1.36). Events of our day that hold what spans may
 * hold are read here too.
 * https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-events/
 */
export const otelOlder: Dialect = {
  name: 'otel_older',
  older: true,
  marks: {
    attributes: [
      'gen_ai.system',
      'gen_ai.prompt',
      'gen_ai.completion',
      'gen_ai.prompt.0.*',
      'gen_ai.completion.0.*',
      'gen_ai.usage.prompt_tokens',
      'gen_ai.usage.completion_tokens',
      'gen_ai.usage.cache_creation.input_tokens',
      'gen_ai.usage.cache_creation_input_tokens',
      'gen_ai.usage.cache_read_input_tokens',
      ...previousResponse,
    ],
    events: ['gen_ai.content.prompt', 'gen_ai.content.completion', 'gen_ai.choice', detailsEvent, ...inputEvents],
  },
  fields: {
    // Before 1.27 there was no operation: a provider and a model it was asked for were a chat.
    'gen_ai.operation.name': (span) =>
      span.attribute('gen_ai.system') !== undefined && span.attribute('gen_ai.request.model') !== undefined
        ? 'chat'
        : undefined,
    'gen_ai.provider.name': converted(first('gen_ai.system'), (name) => canonicalProvider(valueText(name))),
    'gen_ai.request.previous_response.id': first(...previousResponse),
    'gen_ai.input.messages': either(
      indexedList('gen_ai.prompt'),
      when(isModelCall, first('gen_ai.prompt')),
      when(
        isModelCall,
        either(detail('gen_ai.input.messages'), eventText('gen_ai.content.prompt', 'gen_ai.prompt'), (span) =>
          messagesOf(span, inputEvents),
        ),
      ),
    ),
    'gen_ai.output.messages': either(
      indexedList('gen_ai.completion'),
      when(isModelCall, first('gen_ai.completion')),
      when(
        isModelCall,
        either(detail('gen_ai.output.messages'), eventText('gen_ai.content.completion', 'gen_ai.completion'), (span) =>
          messagesOf(span, ['gen_ai.choice']),
        ),
      ),
    ),
    'gen_ai.system_instructions': detail('gen_ai.system_instructions'),
    'gen_ai.tool.definitions': detail('gen_ai.tool.definitions'),
    'gen_ai.usage.input_tokens': first('gen_ai.usage.prompt_tokens'),
    'gen_ai.usage.output_tokens': first('gen_ai.usage.completion_tokens'),
    'gen_ai.usage.cache_read.input_tokens': first('gen_ai.usage.cache_read_input_tokens'),
    'gen_ai.usage.cache_write.input_tokens': first(
      'gen_ai.usage.cache_creation.input_tokens',
      'gen_ai.usage.cache_creation_input_tokens',
    ),
    'gen_ai.usage.reasoning.output_tokens': first('gen_ai.usage.reasoning_tokens'),
    'gen_ai.conversation.id': first('gen_ai.thread.id'),
    'error.type': exceptionType,
  },
};

/** A field that stands on the event with the details of the call. */
function detail(name: string): Reading {
  return eventText(detailsEvent, name);
}

function eventText(event: string, attribute: string): Reading {
  return (span) => {
    const values = span.events(event).flatMap(({ attributes }) => member(attributes, attribute) ?? []);
    if (values.length < 2) return values[0];
    // One event per message: each holds a list of its own.
    return values.flatMap((value) => {
      const parsed = parsedValue(value);
      return parsed !== undefined && parsed !== null && isList(parsed) ? parsed : (parsed ?? []);
    });
  };
}

/** One event per message: the body is a JSON attribute, or the event's attributes themselves. */
function messagesOf(span: SpanSource, names: readonly string[]): Value | undefined {
  const messages = span.events(...names).map(({ name, attributes }) => {
    const body = parsedValue(member(attributes, 'gen_ai.event.content') ?? member(attributes, 'body'));
    return withRole(isMap(body) ? body : attributes, name);
  });
  return messages.length === 0 ? undefined : messages;
}

const rolePattern = /^gen_ai\.(system|user|assistant|tool)\.message$/;

function withRole(message: ValueMap, event: string): Value {
  const role = rolePattern.exec(event)?.[1] ?? 'assistant';
  return member(message, 'role') === undefined ? { ...message, role } : message;
}
