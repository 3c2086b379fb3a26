import { hash } from 'node:crypto';
import type { AgentEvent, NamedValue } from '../../model/agent-event.ts';
import { valueText } from '../../model/value.ts';
import type { Differences } from './arguments.ts';
import { argumentsName } from './read-views.ts';
import type { CallView } from './view.ts';
import { eventOf } from './view-codec.ts';

/** What events below a span say for themselves. */
const own = ['gen_ai.operation.name', 'gen_ai.tool.name', 'gen_ai.tool.call.id', 'gen_ai.response.id'];

const executed: NamedValue[] = [
  ['gen_ai.operation.name', 'execute_tool'],
  ['spanwarden.tool_call.view', 'messages'],
];
const unasked: NamedValue[] = [...executed, ['spanwarden.tool_call.outcome', 'unasked']];

/** A call that only messages tell of, as a tool call below the model call that brought its result. */
export function answeredEvent(view: CallView): AgentEvent {
  return below(view, 'call', `execute_tool ${view.name}`, view.isAsked ? executed : unasked);
}

/** A span as the tool call that it is, with arguments that only the model's answer has. */
export function spanEvent(view: CallView, filled: CallView | undefined): AgentEvent {
  const event = eventOf(view);
  const said = new Set(event.attributes.map(([name]) => name));
  const named: NamedValue[] =
    view.kind === 'execution'
      ? []
      : [['spanwarden.tool_call.view', view.kind === 'client' ? 'mcp_client' : 'mcp_server']];
  if (filled?.given.isTold && !said.has(argumentsName)) named.push([argumentsName, valueText(filled.given.value)]);
  if (filled?.callId && !said.has('gen_ai.tool.call.id')) named.push(['gen_ai.tool.call.id', filled.callId]);
  return { ...event, attributes: [...event.attributes, ...named] };
}

/** A call that nobody answered until the time was over. */
export function unansweredEvent(view: CallView, untilNanos: bigint): AgentEvent {
  const event = below(view, 'unanswered', `tool_call ${view.name}`, outcome('unanswered'));
  return { ...event, startNanos: view.endNanos, endNanos: untilNanos };
}

/** A call that was executed with other arguments than the model proposed. */
export function changedEvent(view: CallView, proposed: CallView, { changed, added }: Differences): AgentEvent {
  const said: NamedValue[] = [
    ...outcome('changed'),
    ['spanwarden.tool_call.proposed_arguments', valueText(proposed.given.value)],
    ...(changed.length > 0 ? [['spanwarden.tool_call.changed_arguments', changed] as const] : []),
    ...(added.length > 0 ? [['spanwarden.tool_call.added_arguments', added] as const] : []),
  ];
  // Of a tool span nothing but the call is remembered: session and agent are those of the model call.
  return below(view, 'changed', `tool_call ${view.name}`, said, eventOf(proposed));
}

/** What is said about a call is no call itself: rules of tool calls do not see it. */
function outcome(name: string): NamedValue[] {
  return [
    ['gen_ai.operation.name', 'agent_event'],
    ['spanwarden.agent_event', `tool_call.${name}`],
    ['spanwarden.tool_call.outcome', name],
  ];
}

/** An event of its own, below the span that tells it. @param event what else is known of where it was */
function below(
  view: CallView,
  about: string,
  name: string,
  more: readonly NamedValue[],
  event = eventOf(view),
): AgentEvent {
  const { traceId, spanId, place, callId } = view;
  const given = view.given.value;
  const attributes = event.attributes.filter(([each]) => !own.includes(each));
  if (view.name !== '') attributes.push(['gen_ai.tool.name', view.name]);
  if (callId !== '') attributes.push(['gen_ai.tool.call.id', callId]);
  if (given !== null) attributes.push([argumentsName, valueText(given)]);
  attributes.push(['spanwarden.tool_call.told_by', `${spanId} in trace ${traceId}`], ...more);
  return {
    traceId,
    spanId: hash('sha256', `spanwarden ${about} ${traceId} ${spanId} ${place}`, 'hex').slice(0, 16),
    // Model calls in traces of their own are put into sessions, and what they tell goes the same way.
    parentSpanId: view.parentSpanId === '' ? '' : spanId,
    name,
    startNanos: view.startNanos,
    endNanos: view.endNanos,
    failed: false,
    kind: 1,
    scopeName: event.scopeName,
    scopeVersion: event.scopeVersion,
    resource: event.resource,
    attributes,
    joinKey: event.joinKey,
    final: event.final,
    place: event.place,
  };
}
