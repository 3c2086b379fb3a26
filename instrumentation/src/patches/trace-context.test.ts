import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTraceState, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import fc from 'fast-check';
import { carrierOf, contextFrom } from './trace-context.ts';

const spanContext = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 };

test('what is written is read back: span, state and baggage', () => {
  const traceState = createTraceState('vendor=1,other=2');
  const baggage = propagation.createBaggage({ 'key=x': { value: 'a,b;c ü' } });
  const sent = propagation.setBaggage(trace.setSpanContext(ROOT_CONTEXT, { ...spanContext, traceState }), baggage);
  const carrier = carrierOf(sent);
  assert.equal(carrier.traceparent, `00-${spanContext.traceId}-${spanContext.spanId}-01`);
  const received = contextFrom(carrier, ROOT_CONTEXT);
  const remote = trace.getSpanContext(received);
  assert.equal(remote?.traceId, spanContext.traceId);
  assert.equal(remote?.spanId, spanContext.spanId);
  assert.equal(remote?.isRemote, true);
  assert.equal(remote?.traceState?.serialize(), 'vendor=1,other=2');
  assert.equal(propagation.getBaggage(received)?.getEntry('key=x')?.value, 'a,b;c ü');
});

test('without a valid span nothing is sent, not even baggage', () => {
  const baggage = propagation.createBaggage({ tenant: { value: '1' } });
  assert.deepEqual(carrierOf(propagation.setBaggage(ROOT_CONTEXT, baggage)), {});
});

test('invalid headers leave the context alone', () => {
  const { traceId, spanId } = spanContext;
  for (const traceparent of [
    `ff-${traceId}-${spanId}-01`,
    `00-${traceId}-${spanId}-01-more`,
    `00-${'0'.repeat(32)}-${spanId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId.toUpperCase()}-${spanId}-01`,
    7,
    '',
  ]) {
    assert.equal(contextFrom({ traceparent }, ROOT_CONTEXT), ROOT_CONTEXT, String(traceparent));
  }
  assert.notEqual(contextFrom({ traceparent: `01-${traceId}-${spanId}-01-more` }, ROOT_CONTEXT), ROOT_CONTEXT);
});

test('OTEL_PROPAGATORS decides what leaves the process', () => {
  const baggage = propagation.createBaggage({ tenant: { value: '1' } });
  const sent = propagation.setBaggage(trace.setSpanContext(ROOT_CONTEXT, spanContext), baggage);
  const before = process.env.OTEL_PROPAGATORS;
  try {
    process.env.OTEL_PROPAGATORS = 'tracecontext';
    assert.deepEqual(Object.keys(carrierOf(sent)), ['traceparent']);
    process.env.OTEL_PROPAGATORS = 'none';
    assert.deepEqual(carrierOf(sent), {});
  } finally {
    if (before === undefined) delete process.env.OTEL_PROPAGATORS;
    else process.env.OTEL_PROPAGATORS = before;
  }
});

test('no carrier of a peer can make it throw', () => {
  const hostile = fc.record({
    traceparent: fc.oneof(fc.constant(`00-${spanContext.traceId}-${spanContext.spanId}-01`), fc.anything()),
    tracestate: fc.oneof(fc.string(), fc.anything()),
    baggage: fc.oneof(
      fc.string(),
      fc.array(fc.string()).map(String),
      fc.constant('__proto__=1,%=2,a=%zz'),
      fc.anything(),
    ),
  });
  fc.assert(fc.property(fc.oneof(hostile, fc.anything()), (carrier) => void contextFrom(carrier, ROOT_CONTEXT)));
});
