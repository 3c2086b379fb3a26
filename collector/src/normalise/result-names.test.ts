import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { GrownList } from '../model/grown-list.ts';
import type { Message, Part } from './messages.ts';
import { repeatedResultNames, resultNames } from './result-names.ts';

const part = fc.oneof(
  fc.record({ id: fc.constantFrom('a', 'b', 'c', ''), name: fc.constantFrom('read', 'send', 'pay', '') }).map(call),
  fc.record({ id: fc.constantFrom('a', 'b', 'd', '', '') }).map(({ id }) => result(id)),
  fc.constantFrom(result('', 'named'), result('', ''), result('a', 'named'), result('d', 'other')),
);
const message = fc.array(part, { maxLength: 3 }).map((parts): Message => ({ role: 'user', parts }));
const messages = fc.array(message, { maxLength: 4 });

function call({ id, name }: { id: string; name: string }): Part {
  return { kind: 'tool_call', id, name, arguments: null };
}

function result(id: string, name?: string): Part {
  return { kind: 'tool_result', id, result: 'x', ...(name !== undefined && { name }) };
}

test('names of results in a conversation that goes on are those of the whole', () => {
  let known = 0;
  fc.assert(
    fc.property(fc.array(fc.tuple(messages, messages), { maxLength: 5 }), (turns) => {
      const list = new GrownList<Message>(() => undefined);
      for (const [added, output] of turns) {
        list.items.push(...added);
        const told = repeatedResultNames(list, list.items.length, output);
        if (told === undefined) continue;
        known++;
        const names = [...told.head, ...told.sent.items.slice(0, told.count), ...told.tail];
        assert.deepEqual(names, resultNames([...list.items, ...output]));
      }
    }),
    { numRuns: 3_000 },
  );
  assert.ok(known > 1_000);
});

test('each message of an ordinary conversation is looked at once', () => {
  const list = new GrownList<Message>(() => undefined);
  let looked = 0;
  const seen = (parts: readonly Part[]): Message => ({
    role: 'user',
    get parts() {
      looked++;
      return parts;
    },
  });
  for (let turn = 0; turn < 50; turn++) {
    const id = `call_${turn}`;
    list.items.push(seen([call({ id, name: 'read' })]), seen([turn % 2 === 0 ? result(id) : result('', 'read')]));
    const told = repeatedResultNames(list, list.items.length, [])!;
    assert.equal(told.count + told.tail.length, turn + 1);
  }
  assert.equal(looked, 100);
  assert.equal(repeatedResultNames(list, 2, []), undefined);
});
