import type { Value } from '../../model/value.ts';

/**
 * Where a tool call was seen: its own span, the MCP client's and the MCP server's, the answer of the model that asks for it, and the
 * messages that bring its result back.
 */
export type ViewKind = (typeof viewKinds)[number];

/** In the order of events that are of one time otherwise. */
export const viewKinds = ['execution', 'client', 'server', 'answered', 'proposed'] as const;

/** One sight of a tool call, with texts of its own so that it outlives its batch. */
export interface Sight {
  readonly kind: ViewKind;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  /** Which call of its kind it is within its span; a model call tells of several. */
  readonly place: number;
  readonly service: string;
  /** Name of the instrumentation scope. */
  readonly scope: string;
  /** '' when unknown. */
  readonly conversation: string;
  readonly startNanos: bigint;
  readonly endNanos: bigint;
  /** '' when unknown. */
  readonly callId: string;
  readonly name: string;
  /** Whether the arguments are all there and remembered. */
  readonly isWhole: boolean;
  /** It counts as a call as it came, whatever else is seen of it. */
  readonly counts: boolean;
  /** Of an answer: whether the messages hold the call as well. */
  readonly isAsked: boolean;
  /** Of an answer: how many messages were sent. */
  readonly turn: number;
}

/** The arguments of a call. */
export interface Given {
  readonly isTold: boolean;
  /** Null where they are not told or too long. */
  readonly value: Value;
  /** '' when not told. */
  readonly hash: string;
}

/** A sight as it is remembered. */
export interface CallView extends Sight {
  readonly given: Given;
  readonly bytes: Uint8Array;
  /** Where in the bytes stands what may be told of it; 0 where nothing may. */
  readonly eventAt: number;
  readonly chars: number;
}

const order = Object.fromEntries(viewKinds.map((kind, place) => [kind, place])) as Record<ViewKind, number>;

/** Event order; ties are ordered by what the views are, so that arrival never decides. */
export function compareViews(a: CallView, b: CallView): number {
  if (a.endNanos !== b.endNanos) return a.endNanos < b.endNanos ? -1 : 1;
  if (a.startNanos !== b.startNanos) return a.startNanos < b.startNanos ? -1 : 1;
  if (a.spanId !== b.spanId) return a.spanId < b.spanId ? -1 : 1;
  if (a.traceId !== b.traceId) return a.traceId < b.traceId ? -1 : 1;
  return order[a.kind] - order[b.kind] || a.place - b.place;
}

/** Whether both belong to one trace or one conversation. */
export function isOneStory(a: CallView, b: CallView): boolean {
  return a.traceId === b.traceId || (a.conversation !== '' && a.conversation === b.conversation);
}

/** Whether two views that are of no one story are told to be of two. */
export function areElsewhere(a: CallView, b: CallView): boolean {
  return a.conversation !== '' && b.conversation !== '';
}

export function isSameId(a: Pick<CallView, 'callId'>, b: Pick<CallView, 'callId'>): boolean {
  return a.callId !== '' && a.callId === b.callId;
}

/**
 * The tool's own name: without the server in front of it (`mcp__shop__orders_read`), and with `_` for all that model APIs let stand in no
 * name, because agents offer `orders.read` of an MCP server as `orders_read`.
 */
export function toolOf(name: string): string {
  const at = name.lastIndexOf('__');
  const own = at > 0 && at + 2 < name.length ? name.slice(at + 2) : name;
  return unusual.test(own) ? own.replace(allUnusual, '_') : own;
}

const unusual = /[^A-Za-z0-9_]/;
const allUnusual = new RegExp(unusual, 'g');

/** Whether both name one tool; a name that is not known is none. */
export function isSameTool(a: Pick<CallView, 'name'>, b: Pick<CallView, 'name'>): boolean {
  return a.name !== '' && b.name !== '' && (a.name === b.name || toolOf(a.name) === toolOf(b.name));
}

/** Whether nothing that both say of the tool differs. */
export function mayBeSameTool(a: CallView, b: CallView): boolean {
  return a.name === '' || b.name === '' || isSameTool(a, b);
}

/** Whether nothing that both say of the arguments differs. */
export function agree({ given: a }: CallView, { given: b }: CallView): boolean {
  return !a.isTold || !b.isTold || a.hash === b.hash;
}

/**
 * Whether two views can be of one call: by its id; where one of them has none by its name and arguments within the trace or the
 * conversation. Ids are unique in a conversation at best, so that elsewhere name and arguments must agree, too.
 */
export function canBeSame(a: CallView, b: CallView): boolean {
  const isNear = isOneStory(a, b);
  if (a.callId !== '' && b.callId !== '') {
    if (a.callId !== b.callId) return false;
    if (isNear) return true;
    if (areElsewhere(a, b) || a.service !== b.service) return false;
    return mayBeSameTool(a, b) && agree(a, b);
  }
  const areRoots = a.parentSpanId === '' && b.parentSpanId === '' && a.service === b.service;
  return (isNear || areRoots) && isSameTool(a, b) && agree(a, b);
}

/** Whether a span is the one above and names the same tool, with or without its server in front. */
export function isBelow(inner: CallView, outer: CallView): boolean {
  return (
    inner.traceId === outer.traceId &&
    inner.parentSpanId === outer.spanId &&
    (inner.name === '' || `_${toolOf(outer.name)}`.endsWith(`_${toolOf(inner.name)}`)) &&
    agree(inner, outer)
  );
}
