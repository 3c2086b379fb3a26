import { areElsewhere, type CallView, isSameTool, toolOf, viewKinds } from './view.ts';

/**
 * Keys by which views of one call may find each other, as small numbers: texts of them would take more than what else is remembered of
 * most views. Other views may have the same numbers, so whoever finds one asks `share` or `isSameView`.
 */
export interface ViewKeys {
  /** Of the view itself: a span that is sent twice has the same. */
  readonly own: number;
  /** Under which it is found by others. */
  readonly found: readonly number[];
}

/** @param seed another one in each process, so that senders cannot put views of many calls under one key */
export function keysOf(view: CallView, seed: number): ViewKeys {
  const parts = partsOf(view, seed);
  const found: number[] = [];
  addIdKeys(view, parts, found);
  if (view.callId !== '')
    found.push(keyOf(view.conversation === '' ? tags.idAlone : tags.idTold, parts.service, parts.id));
  if (isSpan(view)) found.push(keyOf(tags.span, parts.trace, parts.span));
  addNameKeys(view, parts, view.callId === '' ? tags.name : tags.nameWithId, found);
  const place = view.place * viewKinds.length + viewKinds.indexOf(view.kind);
  return { own: keyOf(tags.own + place * tags.end, parts.trace, parts.span), found };
}

/**
 * Keys under which a view finds others of its call, and the span above it. Two views with ids find each other by them: of one name there
 * may be very many.
 * @param withoutId whether there are views without an id
 */
export function soughtKeysOf(view: CallView, withoutId: boolean, seed: number): readonly number[] {
  const parts = partsOf(view, seed);
  const keys = [keyOf(tags.span, parts.trace, hashOf(view.parentSpanId, seed))];
  addIdKeys(view, parts, keys);
  if (view.callId !== '') {
    keys.push(keyOf(tags.idAlone, parts.service, parts.id));
    if (view.conversation === '') keys.push(keyOf(tags.idTold, parts.service, parts.id));
  }
  if (isSpan(view)) keys.push(keyOf(tags.span, parts.trace, parts.span));
  if (withoutId) addNameKeys(view, parts, tags.name, keys);
  if (view.callId === '') addNameKeys(view, parts, tags.nameWithId, keys);
  return keys;
}

/** Whether a view looks for the other one, which then has one of the keys that it seeks. */
export function share(view: CallView, other: CallView): boolean {
  const isTrace = view.traceId === other.traceId;
  if (isTrace && isSpan(other)) {
    if (other.spanId === view.parentSpanId || (isSpan(view) && other.spanId === view.spanId)) return true;
  }
  const isConversation = view.conversation !== '' && view.conversation === other.conversation;
  const isService = view.service === other.service;
  if (view.callId !== '' && other.callId !== '')
    return view.callId === other.callId && (isTrace || isConversation || (isService && !areElsewhere(view, other)));
  // Without trace context each span is a trace of its own.
  const areRoots = view.parentSpanId === '' && other.parentSpanId === '' && isService;
  return isSameTool(view, other) && (isTrace || isConversation || areRoots);
}

export function isSameView(a: CallView, b: CallView): boolean {
  return a.spanId === b.spanId && a.traceId === b.traceId && a.kind === b.kind && a.place === b.place;
}

/** Hashes of the texts that keys are made of. */
interface Parts {
  readonly trace: number;
  readonly span: number;
  readonly service: number;
  readonly conversation: number;
  readonly id: number;
  readonly name: number;
}

/**
 * Kinds of keys; those with two in a row are of trace and conversation, those with three of the service as well. Ids of a service are found by
 * whether their conversation is told: where each conversation numbers its calls anew, thousands are called alike.
 */
const tags = { own: 0, span: 1, id: 2, idAlone: 4, idTold: 5, name: 6, nameWithId: 9, end: 12 } as const;

function partsOf({ traceId, spanId, service, conversation, callId, name }: CallView, seed: number): Parts {
  return {
    trace: hashOf(traceId, seed),
    span: hashOf(spanId, seed),
    service: hashOf(service, seed),
    conversation: hashOf(conversation, seed),
    id: hashOf(callId, seed),
    name: hashOf(toolOf(name), seed),
  };
}

function isSpan({ kind }: CallView): boolean {
  return kind !== 'proposed' && kind !== 'answered';
}

function addIdKeys({ callId, conversation }: CallView, parts: Parts, keys: number[]): void {
  if (callId === '') return;
  keys.push(keyOf(tags.id, parts.trace, parts.id));
  if (conversation !== '') keys.push(keyOf(tags.id + 1, parts.conversation, parts.id));
}

function addNameKeys(view: CallView, parts: Parts, tag: number, keys: number[]): void {
  if (view.name === '') return;
  keys.push(keyOf(tag, parts.trace, parts.name));
  if (view.conversation !== '') keys.push(keyOf(tag + 1, parts.conversation, parts.name));
  if (view.parentSpanId === '') keys.push(keyOf(tag + 2, parts.service, parts.name));
}

function hashOf(text: string, seed: number): number {
  let hash = seed;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x5bd1e995) ^ (hash >>> 13);
  return hash ^ (hash >>> 15);
}

/** Of 30 bits, which the engine keeps without an object around them. */
function keyOf(tag: number, a: number, b: number): number {
  let hash = Math.imul(a ^ Math.imul(tag + 1, 0x9e3779b1), 0x85ebca6b);
  hash = Math.imul((hash ^ (hash >>> 15)) + b, 0xc2b2ae35);
  return (hash ^ (hash >>> 13)) >>> 2;
}
