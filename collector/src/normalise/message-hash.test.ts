import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { messageHash, messageHashes } from './message-hash.ts';
import { type Message, parseMessages } from './messages.ts';

const text = (role: Message['role'], content: string): Message => ({ role, parts: [{ kind: 'text', text: content }] });

describe('hashes of messages', () => {
  it('are the same for a message that comes again, whatever object holds it and where it stands', () => {
    const [first, second] = [text('user', 'hello'), text('assistant', 'hi')];
    const alone = messageHashes([text('assistant', 'hi')]);
    const both = messageHashes([first, second]);
    assert.equal(both.messages[1], alone.messages[0]);
    assert.notEqual(both.prefixes[1], alone.prefixes[0]);
    assert.match(both.messages[0]!, /^[0-9a-f]{32}$/);
    // They stand in checkpoints, so they are a matter of the content alone.
    assert.equal(both.messages[0], 'a7df996880cb9a6b1076507ea0122aca');
  });

  it('prefixes are equal exactly as far as the messages are', () => {
    const message = fc.record({
      role: fc.constantFrom('user' as const, 'assistant' as const, 'tool' as const),
      parts: fc.array(
        fc.record({ kind: fc.constant('text' as const), text: fc.constantFrom('', 'a', 'b', '\nt1:a', 'ab') }),
        {
          maxLength: 3,
        },
      ),
    });
    const list = fc.array(message, { maxLength: 5 });
    fc.assert(
      fc.property(list, list, (one, other) => {
        const [a, b] = [messageHashes(one), messageHashes(other)];
        for (let at = 0; at < Math.min(one.length, other.length); at++) {
          const same = (from: number) =>
            JSON.stringify(one.slice(from, at + 1)) === JSON.stringify(other.slice(from, at + 1));
          assert.equal(a.messages[at] === b.messages[at], same(at));
          assert.equal(a.prefixes[at] === b.prefixes[at], same(0));
        }
      }),
    );
  });

  it('an answer has the hash that it has as history', () => {
    const answer = '[{"role":"assistant","finish_reason":"tool_call","parts":[{"type":"reasoning","content":"hm"},';
    const call = '{"type":"tool_call","id":"c1","name":"read","arguments":{"path":"a"}}]}]';
    const history = `[{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"read","arguments":"{\\"path\\":\\"a\\"}"}}]}]`;
    const [sent] = parseMessages(answer + call, 'assistant');
    const [back] = parseMessages(history);
    assert.equal(messageHash(sent!), messageHash(back!));
  });

  it('every part counts, results and media too', () => {
    const hashes = [
      text('tool', 'x'),
      { role: 'tool', parts: [{ kind: 'tool_result', id: '', result: 'x' }] },
      { role: 'tool', parts: [{ kind: 'tool_result', id: 'x', result: '' }] },
      { role: 'tool', parts: [{ kind: 'tool_call', id: '', name: 'x', arguments: null }] },
      { role: 'tool', parts: [{ kind: 'tool_call', id: '', name: 'x', arguments: 12345678901234567890n }] },
      { role: 'tool', parts: [{ kind: 'media', form: 'uri', mediaType: '', uri: 'x' }] },
      { role: 'tool', parts: [{ kind: 'media', form: 'file', mediaType: '', uri: 'x' }] },
    ].map((message) => messageHash(message as Message));
    assert.equal(new Set(hashes).size, hashes.length);
  });
});
