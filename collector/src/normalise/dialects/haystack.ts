import { isList, type Value } from '../../model/value.ts';
import { isMap, member, parsedOrCut, textMember } from '../json-value.ts';
import { classKey, pythonShown } from '../python-shown.ts';
import type { Dialect, Reading, SpanSource } from './dialect.ts';
import { converted, either, first, inJson, when } from './readings.ts';

const type = 'haystack.component.type';
const input = 'haystack.component.input';
const output = 'haystack.component.output';
const stepOutput = 'haystack.agent.step.llm.output';
const openInferenceScope = 'openinference.instrumentation.haystack';
const toolOutput = 'haystack.agent.step.tool.output';

/** Kinds of components by the end of their names; agents have a span of their own below. */
const componentKinds: readonly (readonly [end: string, operation: string])[] = [
  ['ChatGenerator', 'chat'],
  ['Generator', 'text_completion'],
  ['Retriever', 'retrieval'],
  ['Embedder', 'embeddings'],
  ['Ranker', 'rerank'],
];

const isStep = (span: SpanSource): boolean =>
  span.attribute(stepOutput) !== undefined || span.attribute('haystack.agent.step.llm.input') !== undefined;
const isTool = (span: SpanSource): boolean => span.attribute('haystack.tool.name') !== undefined;
const isAgent = (span: SpanSource): boolean => span.attribute('haystack.agent.max_steps') !== undefined;
const isPipeline = (span: SpanSource): boolean =>
  span.attribute('haystack.pipeline.max_runs_per_component') !== undefined;

/** OpenInference's instrumentation, which says most by itself. */
const isOpenInference = (span: SpanSource): boolean => span.scopeName === openInferenceScope;

function isKind(...operations: readonly string[]): (span: SpanSource) => boolean {
  return (span) => operations.includes(componentKind(span) ?? '');
}

/**
 * Haystack's own tracer. Content comes only when it is told so (`HAYSTACK_CONTENT_TRACING_ENABLED`); what a model call of an
 * agent was asked is text as Python shows it, with functions in it, which is not read: its answer, its tools and the agent around it are.
 * Of OpenInference's spans only what these say in Haystack's own way is read here.
 * https://docs.haystack.deepset.ai/docs/tracing
 */
export const haystack: Dialect = {
  name: 'haystack',
  marks: { scopes: [openInferenceScope], attributes: ['haystack.*'] },
  fields: {
    'gen_ai.operation.name': either(
      when(isStep, () => 'chat'),
      when(isTool, () => 'execute_tool'),
      when(isAgent, () => 'invoke_agent'),
      when(isPipeline, () => 'invoke_workflow'),
      componentKind,
      when(isOpenInference, (span) => (span.name === 'Agent.run' ? 'invoke_agent' : undefined)),
    ),
    'gen_ai.provider.name': (span) => /^(OpenAI|Anthropic|Cohere|Mistral)/.exec(text(span.attribute(type)))?.[1],
    'gen_ai.response.model': ofReply('model'),
    'gen_ai.response.finish_reasons': converted(replies, (list) => {
      const reasons = (list as readonly Value[]).flatMap(
        (reply) => member(member(reply, 'meta'), 'finish_reason') ?? [],
      );
      return reasons.length === 0 ? undefined : reasons;
    }),
    'gen_ai.usage.input_tokens': ofReply('usage', 'prompt_tokens'),
    'gen_ai.usage.output_tokens': ofReply('usage', 'completion_tokens'),
    'gen_ai.input.messages': either(
      when(isKind('chat'), converted(inJson(input, 'messages'), messages)),
      when(isKind('text_completion'), inJson(input, 'prompt')),
      when(isOpenInference, withCallsAndResults),
    ),
    'gen_ai.output.messages': converted(replies, messages),
    'gen_ai.tool.definitions': when(isOpenInference, shownTools),
    'gen_ai.tool.name': first('haystack.tool.name'),
    'gen_ai.tool.description': first('haystack.tool.description'),
    'gen_ai.tool.call.arguments': first('haystack.agent.step.tool.input'),
    'gen_ai.tool.call.result': either(
      when((span) => span.attribute('haystack.tool.error') === true, inJson(toolOutput, 'error')),
      first(toolOutput),
    ),
    'gen_ai.retrieval.query.text': either(
      when(isKind('retrieval', 'rerank'), inJson(input, 'query')),
      when(isOpenInference, inJson('input.value', 'query')),
    ),
    'gen_ai.retrieval.documents': when(isKind('retrieval', 'rerank'), inJson(output, 'documents')),
    'error.type': when(
      (span) => span.attribute('haystack.tool.error') === true,
      () => '_OTHER',
    ),
  },
  lastResort: {
    'gen_ai.input.messages': converted(inJson('haystack.agent.input', 'messages'), messages),
    'gen_ai.output.messages': converted(inJson('haystack.agent.output', 'last_message'), (last) => messages([last])),
  },
};

function componentKind(span: SpanSource): string | undefined {
  const name = text(span.attribute(type));
  return name === '' ? undefined : componentKinds.find(([end]) => name.endsWith(end))?.[1];
}

function text(value: Value | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** Answers of a model, of an agent's step or of a component. */
function replies(span: SpanSource): Value | undefined {
  if (isOpenInference(span)) return shownReplies(span);
  const isComponent = !isStep(span) && isKind('chat', 'text_completion')(span);
  const said = isComponent ? span.attribute(output) : span.attribute(stepOutput);
  const list = member(parsedOrCut(said), 'replies') ?? null;
  return isList(list) ? list : undefined;
}

/** OpenInference's own attributes leave out ids of calls and reasons to end. */
function shownReplies(span: SpanSource): Value | undefined {
  const list = member(parsedOrCut(span.attribute('output.value')), 'replies') ?? null;
  if (!isList(list) || list.length === 0) return undefined;
  const read = list.map(shownMessage);
  return read.every((each) => each !== undefined) ? read : undefined;
}

/** Tools that OpenInference's raw input shows as Python does. */
function shownTools(span: SpanSource): Value | undefined {
  const list = member(parsedOrCut(span.attribute('input.value')), 'tools') ?? null;
  if (!isList(list) || list.length === 0) return undefined;
  const tools = list.flatMap((shown): Value[] => {
    const tool = typeof shown === 'string' ? pythonShown(shown) : undefined;
    const [name, parameters] = [textMember(tool, 'name'), member(tool, 'parameters')];
    if (name === undefined || !(textMember(tool, classKey) ?? '').endsWith('Tool')) return [];
    return [{ type: 'function', name, description: member(tool, 'description') ?? '', parameters: parameters ?? null }];
  });
  return tools.length === list.length ? tools : undefined;
}

function ofReply(...path: readonly string[]): Reading {
  return converted(replies, (list) => path.reduce(member, member((list as readonly Value[])[0], 'meta')));
}

const toolMessage = "ChatMessage(_role=<ChatRole.TOOL: 'tool'>, _content=[ToolCallResult(result=";

/** OpenInference leaves calls and results of tools out of its messages; in the raw input they stand as Python shows them. */
function withCallsAndResults(span: SpanSource): Value | undefined {
  const list = span.tree('llm.input_messages') ?? null;
  const raw = member(parsedOrCut(span.attribute('input.value')), 'messages') ?? null;
  if (!isList(list)) return undefined;
  if (!isList(raw) || raw.length !== list.length) return list;
  return list.map((item, i) => {
    const [message, shown] = [member(item, 'message'), raw[i]!];
    if (!isMap(message) || member(message, 'content') !== undefined) return item;
    const read = shownMessage(shown);
    if (read !== undefined) return member(read, 'role') === member(message, 'role') ? asParts(read) : item;
    // What else a result may hold is no plain data.
    const isResult = member(message, 'role') === 'tool' && typeof shown === 'string' && shown.startsWith(toolMessage);
    return isResult ? { role: 'tool', content: shown.slice(toolMessage.length) } : item;
  });
}

/** A message as Python shows it, in the form of the JSON that Haystack itself writes. */
function shownMessage(shown: Value): Value | undefined {
  const message = typeof shown === 'string' ? pythonShown(shown) : undefined;
  const content = member(message, '_content') ?? null;
  if (member(message, classKey) !== 'ChatMessage' || !isList(content)) return undefined;
  const parts = content.map((each): Value => {
    const key = partKeys[textMember(each, classKey) ?? ''];
    return key === undefined ? each : { [key]: each };
  });
  return { role: member(message, '_role') ?? '', meta: member(message, '_meta') ?? null, content: parts };
}

const partKeys: Readonly<Record<string, string>> = {
  ToolCall: 'tool_call',
  ToolCallResult: 'tool_call_result',
  ReasoningContent: 'reasoning',
};

/** Messages with lists of parts that are told by their one key, as OTel's. */
function messages(list: Value): Value | undefined {
  if (!isList(list)) return undefined;
  return list.map(asParts);
}

function asParts(message: Value): Value {
  const content = member(message, 'content') ?? null;
  return isMap(message) && isList(content)
    ? { role: member(message, 'role') ?? 'user', parts: content.map(part) }
    : message;
}

function part(value: Value): Value {
  const said = textMember(value, 'text');
  if (said !== undefined) return { type: 'text', content: said };
  const call = member(value, 'tool_call');
  if (isMap(call)) return { type: 'tool_call', ...named(call), arguments: member(call, 'arguments') ?? null };
  const given = member(value, 'tool_call_result');
  if (isMap(given)) {
    return { type: 'tool_call_response', ...named(member(given, 'origin')), response: member(given, 'result') ?? '' };
  }
  const reasoning = textMember(member(value, 'reasoning'), 'reasoning_text');
  return reasoning === undefined ? value : { type: 'reasoning', content: reasoning };
}

function named(call: Value | undefined): { readonly id: Value; readonly name: Value } {
  return { id: member(call, 'id') ?? '', name: member(call, 'tool_name') ?? '' };
}
