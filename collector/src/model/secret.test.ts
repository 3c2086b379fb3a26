import assert from 'node:assert/strict';
import test from 'node:test';
import { format, inspect } from 'node:util';
import { Secret } from './secret.ts';

test('a secret shows nowhere but in reveal', () => {
  const secret = new Secret('hunter2-hunter2');
  const shown = [
    String(secret),
    `${secret}`,
    JSON.stringify({ secret }),
    inspect({ secret }, { showHidden: true, depth: 9 }),
    format('%s %o %j', secret, secret, secret),
    inspect(Object.freeze(secret)),
    Object.entries(secret).join(),
  ];
  for (const text of shown) assert.ok(!text.includes('hunter2'), text);
  assert.equal(JSON.stringify({ secret }), '{"secret":"[REDACTED]"}');
  assert.equal(secret.reveal(), 'hunter2-hunter2');
});
