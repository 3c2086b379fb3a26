import type { FieldTable } from '../../model/fields.ts';
import { limits } from '../../model/limits.ts';
import type { SpanEvents } from '../../model/span-events.ts';
import { type CallView, isSameId, isSameTool } from './view.ts';

/** What tells whether two tool spans are of one call. */
export type Twin = Pick<CallView, 'traceId' | 'spanId' | 'parentSpanId' | 'service' | 'scope'> &
  Pick<CallView, 'startNanos' | 'endNanos' | 'callId' | 'name'> & { readonly given: { readonly hash: string } };

/**
 * Whether two tool spans of two instrumentations are of one call, of which the outer one counts: the inner one lies within it in time, they
 * say one id or one is right above the other, and tool and arguments are the same. An order without circles, so that of
 * spans that stand for each other one is always left.
 */
export function isTwin(outer: Twin, inner: Twin): boolean {
  if (outer.scope === inner.scope || outer.service !== inner.service || outer.traceId !== inner.traceId) return false;
  if (outer.startNanos > inner.startNanos || inner.endNanos > outer.endNanos) return false;
  const isSameTime = outer.startNanos === inner.startNanos && outer.endNanos === inner.endNanos;
  if (isSameTime && outer.scope > inner.scope) return false;
  const isRelated = inner.parentSpanId === outer.spanId || outer.parentSpanId === inner.spanId;
  if (!isRelated && !isSameId(outer, inner)) return false;
  // An id of one and none of the other is no difference, two ids are.
  if (outer.callId !== '' && inner.callId !== '' && outer.callId !== inner.callId) return false;
  return isSameTool(outer, inner) && outer.given.hash === inner.given.hash;
}

/**
 * Instrumentations, by service and scope, whose tool spans were seen inside those of another one, of the same calls. Their spans wait until it is
 * known whether another one stands for them. What is seen in one request is known for that request already.
 */
export class InnerScopes {
  readonly known = new Set<string>();
  readonly #read: (events: SpanEvents, span: number) => Twin;
  readonly #result: number;

  /** @param read what a tool span says of its call */
  constructor(fields: FieldTable, read: (events: SpanEvents, span: number) => Twin) {
    this.#read = read;
    this.#result = fields.intern('gen_ai.tool.call.result');
  }

  has(service: string, scope: string): boolean {
    return this.known.size > 0 && this.known.has(keyOf(service, scope));
  }

  add({ service, scope }: Pick<Twin, 'service' | 'scope'>): void {
    if (this.known.size < limits.sourcesMax) this.known.add(keyOf(service, scope));
  }

  /** @param spans tool spans of the batch, where they are of several scopes */
  learn(events: SpanEvents, spans: readonly number[]): void {
    const twins = spans.map((span) => ({ span, twin: this.#read(events, span) }));
    const bySpan = new Map(twins.map((each) => [each.twin.traceId + each.twin.spanId, each]));
    const byId = new Map<string, (typeof twins)[number][]>();
    for (const each of twins) {
      const { traceId, parentSpanId, callId } = each.twin;
      const over = parentSpanId === '' ? undefined : bySpan.get(traceId + parentSpanId);
      const alike = callId === '' ? none : (byId.get(traceId + callId) ?? []);
      for (const other of over === undefined ? alike : [over, ...alike]) {
        this.#compare(events, each, other);
        this.#compare(events, other, each);
      }
      if (callId !== '' && alike.length < comparedMax) byId.set(traceId + callId, [...alike, each]);
    }
  }

  /** One that says less than the other of what the tool gave must not stand for it. */
  #compare(events: SpanEvents, outer: { span: number; twin: Twin }, inner: { span: number; twin: Twin }): void {
    if (this.has(inner.twin.service, inner.twin.scope) || !isTwin(outer.twin, inner.twin)) return;
    const gave = (span: number): boolean => events.value(span, this.#result) !== undefined;
    if (gave(outer.span) || !gave(inner.span)) this.add(inner.twin);
  }
}

function keyOf(service: string, scope: string): string {
  return `${service}\0${scope}`;
}

const none: readonly never[] = [];
/** Spans that say one id in one trace are two or three; many are somebody's who wants to be looked at often. */
const comparedMax = 4;
