import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CallView, isBelow } from './view.ts';

const view = (name: string, spanId: string, parentSpanId = ''): CallView =>
  ({ name, spanId, parentSpanId, traceId: 't', given: { isTold: true, hash: 'h' } }) as unknown as CallView;

test('a span below another one is of its call where it names the same tool, but for what stands in front of it by itself', () => {
  const isOf = (outer: string, inner: string) => isBelow(view(inner, 'b', 'a'), view(outer, 'a'));
  for (const outer of ['orders_read', 'orders.read', 'shop_orders_read', 'shop-orders.read', 'mcp__shop__orders_read'])
    assert.ok(isOf(outer, 'orders.read'), outer);
  assert.ok(isOf('anything', ''));
  for (const outer of ['reorders_read', 'orders_read_all', 'read', '']) assert.ok(!isOf(outer, 'orders.read'), outer);
  assert.ok(!isBelow(view('read', 'b', 'c'), view('read', 'a')), 'a sibling');
});
