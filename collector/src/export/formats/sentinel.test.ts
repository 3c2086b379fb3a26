import assert from 'node:assert/strict';
import test from 'node:test';
import { openFormat } from './index.ts';
import { sentinelColumns } from './sentinel.ts';
import { caseEvent, context, findingEvent } from './testing/events.ts';
import { assertGoldens } from './testing/goldens.ts';
import { assertHarmlessJson } from './testing/json-laws.ts';
import { assertFits } from './testing/laws.ts';

const format = openFormat('sentinel');

test('the finding and the case as they are committed', () => assertGoldens('sentinel', format));

test('no text of an event adds a member, and each comes back', () => assertHarmlessJson(format));

test('texts are cut to the bytes that are allowed', () => {
  assertFits(format, (body) => JSON.parse(body).AlertId);
});

test('every row has every column, under names that tables take', () => {
  const reserved = ['_ResourceId', 'id', '_SubscriptionId', 'TenantId', 'Type', 'UniqueId', 'Title'];
  for (const event of [findingEvent, caseEvent]) {
    const read = JSON.parse(format.encode(event, context));
    assert.deepEqual(
      Object.keys(read),
      sentinelColumns.map(({ name }) => name),
    );
    for (const { name, type } of sentinelColumns) {
      assert.match(name, /^[A-Za-z][A-Za-z0-9_]{0,44}$/);
      assert.ok(!reserved.includes(name));
      const written = typeof read[name];
      const wanted = { datetime: 'string', string: 'string', long: 'number', boolean: 'boolean', dynamic: 'object' }[
        type
      ];
      assert.equal(written, wanted, name);
    }
  }
});
