import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClickHouseError } from '@clickhouse/client';
import fc from 'fast-check';
import { classifyError } from './errors.ts';

const clickhouse = (code: string, type: string, message = 'no') => new ClickHouseError({ code, type, message });

test('what a failure means follows from its code', () => {
  const cases: readonly [unknown, string][] = [
    [clickhouse('159', 'TIMEOUT_EXCEEDED'), 'retryable'],
    [clickhouse('209', 'SOCKET_TIMEOUT'), 'retryable'],
    [clickhouse('210', 'NETWORK_ERROR'), 'retryable'],
    [clickhouse('241', 'MEMORY_LIMIT_EXCEEDED'), 'retryable'],
    [clickhouse('252', 'TOO_MANY_PARTS', 'Too many parts (3000)'), 'retryable'],
    [clickhouse('252', 'TOO_MANY_PARTS', 'Too many partitions for single INSERT block (more than 100)'), 'permanent'],
    [clickhouse('319', 'UNKNOWN_STATUS_OF_INSERT'), 'retryable'],
    [clickhouse('999', 'KEEPER_EXCEPTION'), 'retryable'],
    [clickhouse('27', 'CANNOT_PARSE_INPUT_ASSERTION_FAILED'), 'permanent'],
    [clickhouse('33', 'CANNOT_READ_ALL_DATA'), 'permanent'],
    [clickhouse('53', 'TYPE_MISMATCH'), 'permanent'],
    [clickhouse('62', 'SYNTAX_ERROR'), 'permanent'],
    [clickhouse('16', 'NO_SUCH_COLUMN_IN_TABLE'), 'config'],
    [clickhouse('60', 'UNKNOWN_TABLE'), 'config'],
    [clickhouse('81', 'UNKNOWN_DATABASE'), 'config'],
    [clickhouse('497', 'ACCESS_DENIED'), 'config'],
    [clickhouse('516', 'AUTHENTICATION_FAILED'), 'config'],
    [clickhouse('123456', 'SOMETHING_NEW'), 'retryable'],
    [Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:8123'), { code: 'ECONNREFUSED' }), 'retryable'],
    [new Error('Timeout error.'), 'retryable'],
    [new Error('<html>502 Bad Gateway</html>'), 'retryable'],
  ];
  for (const [error, kind] of cases) assert.equal(classifyError(error).kind, kind, String(error));
});

test('the reason names the code, is one short line, and anything can be classified', () => {
  const error = clickhouse('27', 'CANNOT_PARSE', `first line ${'x'.repeat(1000)}\nsecond line`);
  const { reason } = classifyError(error);
  assert.match(reason, /^27 CANNOT_PARSE: first line x+$/);
  assert.equal(reason.length, 300);
  fc.assert(
    fc.property(fc.anything(), (thrown) => {
      assert.doesNotMatch(classifyError(thrown).reason, /\n/);
    }),
  );
});
