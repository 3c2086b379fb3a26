import type { AgentEvent, NamedValue } from '../../model/agent-event.ts';
import type { FieldTable } from '../../model/fields.ts';
import { limits } from '../../model/limits.ts';
import { Span } from '../../model/span-batch.ts';
import { Category, type SpanEvents } from '../../model/span-events.ts';
import type { ToolCall } from '../../model/tool-call.ts';
import { isList, type Value, valueJson, valueText } from '../../model/value.ts';
import { StateWriter } from '../correlate/state-bytes.ts';
import { spanAsEvent } from '../joining/span-as-event.ts';
import { argumentsHash } from './arguments.ts';
import { type EventBytes, eventBytes, ModelCallWriter } from './event-bytes.ts';
import { InnerScopes } from './twice-told.ts';
import type { CallView, Sight, ViewKind } from './view.ts';
import { encodedView } from './view-codec.ts';

/** Which view a tool span is, and whether it counts as it comes. */
export interface SpanView {
  readonly kind: 'execution' | 'client' | 'server';
  readonly counts: boolean;
}

/** Reads the views of tool calls from spans. */
export interface ViewReader {
  /** Services that send spans of tool calls that may stand above others, as far as they are known. */
  readonly senders: Set<string>;
  /** Instrumentations whose tool spans may be of calls that another one tells as well. */
  readonly inner: InnerScopes;
  /** Notes services that send such spans, and such instrumentations. */
  note(events: SpanEvents): void;
  /** Undefined for spans that are no tool calls. */
  spanView(events: SpanEvents, span: number): SpanView | undefined;
  /** To be called before views of another batch are read. */
  begin(): void;
  read(events: SpanEvents, span: number): CallView[];
}

export function createViewReader(fields: FieldTable): ViewReader {
  const id = (name: string) => fields.intern(name);
  const method = id('mcp.method.name');
  const callId = id('gen_ai.tool.call.id');
  const kind = id('span.kind');
  const service = id('service.name');
  const scope = id('span.scope_name');
  const conversation = id('gen_ai.conversation.id');
  const content = [argumentsName, resultName].map((name) => [name, id(name)] as const);
  const identity = ['user.id', 'gen_ai.agent.id', 'gen_ai.agent.version'].map((name) => [name, id(name)] as const);
  const whole = [...identity, ...content];
  const text = (events: SpanEvents, span: number, field: number) => valueText(events.value(span, field) ?? '');

  const senders = new Set<string>();

  const kindOf = (events: SpanEvents, span: number): SpanView['kind'] => {
    if ((events.categories(span) & Category.mcp) === 0 || text(events, span, method) !== 'tools/call')
      return 'execution';
    if (text(events, span, kind) === 'Server') return 'server';
    // MCP knows no ids of tool calls: a span with one is the agent's own, which the MCP library added to.
    return text(events, span, callId) === '' ? 'client' : 'execution';
  };

  const isInner = (events: SpanEvents, span: number): boolean =>
    inner.known.size > 0 && inner.has(short(text(events, span, service)), short(text(events, span, scope)));

  const spanView: ViewReader['spanView'] = (events, span) => {
    if ((events.categories(span) & Category.tool) === 0) return undefined;
    const found = kindOf(events, span);
    // Nothing can stand above a root, nor tool spans above the clients of a service that sends none.
    const counts =
      (found === 'execution' && !isInner(events, span)) ||
      isRoot(events, span) ||
      (found === 'client' && senders.size < limits.sourcesMax && !senders.has(short(text(events, span, service))));
    return { kind: found, counts };
  };

  const wholeOf = (events: SpanEvents, span: number): AgentEvent => {
    const event = spanAsEvent(events, span, fields, false);
    const more: NamedValue[] = [];
    for (const [name, field] of whole) {
      const value = events.value(span, field);
      if (value !== undefined) more.push([name, bounded(value)]);
    }
    if (more.length === 0) return event;
    const others = event.attributes.filter(([name]) => !more.some(([each]) => each === name));
    return { ...event, attributes: [...others, ...more] };
  };

  const modelCalls = new ModelCallWriter(fields, identity);
  const writer = new StateWriter();
  const viewOf = (
    viewKind: ViewKind,
    ids: Ids,
    where: Where,
    call: ToolCall,
    place: Place,
    event: EventBytes | undefined,
    more?: readonly NamedValue[],
  ): CallView => {
    const isLong = isLonger(call.arguments);
    const sight: Sight = {
      kind: viewKind,
      traceId: ids.traceId,
      spanId: ids.spanId,
      parentSpanId: ids.parentSpanId,
      startNanos: ids.startNanos,
      endNanos: ids.endNanos,
      service: where.service,
      scope: where.scope,
      conversation: where.conversation,
      callId: short(call.id),
      name: short(call.name),
      place: place.place,
      turn: place.turn,
      isAsked: place.isAsked,
      isWhole: call.isWhole && !isLong,
      counts: place.counts,
    };
    const hash = isLong ? argumentsHash(call.arguments) : '';
    return encodedView(writer, sight, isLong ? null : call.arguments, hash, event, more);
  };

  const toolView = (events: SpanEvents, span: number, { kind: viewKind, counts }: SpanView): CallView[] => {
    const call = events.toolCall?.(span);
    if (call === undefined) return [];
    // Only what may be told has to be remembered whole.
    const isTold = !counts || call.arguments === null;
    const event = isTold ? eventBytes(wholeOf(events, span)) : undefined;
    const place = { place: 0, turn: 0, isAsked: false, counts };
    return [viewOf(viewKind, idsOf(events, span), whereOf(events, span), call, place, event)];
  };

  const whereOf = (events: SpanEvents, span: number): Where => ({
    service: short(text(events, span, service)),
    scope: short(text(events, span, scope)),
    conversation: short(text(events, span, conversation)),
  });

  const inner = new InnerScopes(fields, (events, span) => {
    const call = events.toolCall!(span);
    return {
      ...{ ...idsOf(events, span), ...whereOf(events, span) },
      ...{ callId: short(call.id), name: short(call.name) },
      // Of two that may be of one call only.
      given: {
        get hash() {
          return argumentsHash(call.arguments);
        },
      },
    };
  });

  return {
    senders,
    inner,
    note: (events) => {
      const { batch } = events;
      const executions: number[] = [];
      const scopes = new Set<number>();
      for (let span = 0; span < batch.spanCount; span++) {
        if ((events.categories(span) & Category.tool) === 0) continue;
        const found = kindOf(events, span);
        if (found === 'execution') {
          executions.push(span);
          scopes.add(batch.spans[span * Span.stride + Span.scope]!);
        }
        if (senders.size < limits.sourcesMax && (found === 'execution' || (found === 'client' && isRoot(events, span))))
          senders.add(short(text(events, span, service)));
      }
      if (scopes.size > 1 && events.toolCall !== undefined) inner.learn(events, executions);
    },
    spanView,
    begin: () => modelCalls.begin(),
    read: (events, span) => {
      if ((events.categories(span) & Category.llm) === 0) {
        const found = spanView(events, span);
        return found === undefined ? [] : toolView(events, span, found);
      }
      const told = events.messageCalls?.(span);
      if (told === undefined) return [];
      const event = modelCalls.write(events, span);
      const [ids, where] = [idsOf(events, span), whereOf(events, span)];
      const views = told.proposed.map((call, place) =>
        viewOf('proposed', ids, where, call, { place, turn: 0, isAsked: false, counts: false }, event),
      );
      for (const [place, call] of told.answered.entries()) {
        const content: NamedValue[] = [[resultName, bounded(call.result)]];
        // Those that are remembered are told from there.
        if (isLonger(call.arguments)) content.push([argumentsName, bounded(call.arguments)]);
        const { isAsked, turn } = call;
        views.push(viewOf('answered', ids, where, call, { place, turn, isAsked, counts: false }, event, content));
      }
      return views;
    },
  };
}

function isRoot({ batch }: SpanEvents, span: number): boolean {
  return batch.hex(batch.spans[span * Span.stride + Span.parentSpanId]!, 8) === '';
}

type Ids = Pick<CallView, 'traceId' | 'spanId' | 'parentSpanId' | 'startNanos' | 'endNanos'>;

function idsOf({ batch }: SpanEvents, span: number): Ids {
  const at = span * Span.stride;
  const { spans } = batch;
  return {
    traceId: batch.hex(spans[at + Span.traceId]!, 16),
    spanId: batch.hex(spans[at + Span.spanId]!, 8),
    parentSpanId: batch.hex(spans[at + Span.parentSpanId]!, 8),
    startNanos: batch.nanos(spans[at + Span.start]!),
    endNanos: batch.nanos(spans[at + Span.end]!),
  };
}

type Place = Pick<CallView, 'place' | 'turn' | 'isAsked' | 'counts'>;

type Where = Pick<CallView, 'service' | 'scope' | 'conversation'>;

export const argumentsName = 'gen_ai.tool.call.arguments';
const resultName = 'gen_ai.tool.call.result';
const nameCharsMax = 256;

function short(text: string): string {
  return text.slice(0, nameCharsMax);
}

function bounded(value: Value): Value {
  const text = typeof value === 'object' && value !== null ? valueJson(value) : value;
  return typeof text === 'string' ? text.slice(0, limits.callValueCharsMax) : value;
}

/** Whether arguments are longer as JSON than what is remembered of them. */
function isLonger(value: Value): boolean {
  return charsLeft(value, limits.callValueCharsMax, 0) < 0;
}

/** Counts the characters of JSON down, escapes left out, no further than below zero and no deeper than values are written. */
function charsLeft(value: Value, left: number, depth: number): number {
  if (typeof value === 'string') return left - value.length - 2;
  if (typeof value !== 'object' || value === null || depth > valueDepthMax) return left - 4;
  let rest = left - 2;
  if (isList(value)) {
    for (let at = 0; at < value.length && rest >= 0; at++) rest = charsLeft(value[at]!, rest - 1, depth + 1);
    return rest;
  }
  for (const key of Object.keys(value)) {
    if (rest < 0) break;
    rest = charsLeft(value[key]!, rest - key.length - 4, depth + 1);
  }
  return rest;
}

const valueDepthMax = 256;
