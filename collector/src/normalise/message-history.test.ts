import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { callFinder } from './known-calls.ts';
import { MessageHistory } from './message-history.ts';
import { parseMessages, textsOf } from './messages.ts';
import { provenanceItems } from './provenance.ts';
import { provenanceContents } from './provenance-contents.ts';

const say = (role: string, content: string) => JSON.stringify({ role, parts: [{ type: 'text', content }] });

function read(history: MessageHistory, text: string, session = 's') {
  const bytes = Buffer.from(`..${text}..`);
  const sent = history.find(session, bytes, 2, bytes.length - 2);
  return sent && history.read(sent, bytes, 2, bytes.length - 2);
}

describe('a conversation that calls repeat', () => {
  it('keeps the messages it knows and reads those behind them', () => {
    const history = new MessageHistory();
    const [hello, hi, more] = [say('user', 'hello'), say('assistant', 'hi é'), say('user', 'more')];
    const first = read(history, `[${hello}, ${hi}]`)!;
    const second = read(history, `[${hello}, ${hi}, ${more}\n]`)!;
    assert.equal(second[0], first[0]);
    assert.equal(second[1], first[1]);
    assert.deepEqual(second, parseMessages(`[${hello}, ${hi}, ${more}]`));
    const again = read(history, `[${hello}, ${hi}, ${more}]`)!;
    assert.deepEqual(again, second);
    assert.equal(again[2], second[2]);
    assert.notEqual(read(history, `[${hello}, ${hi}]`, 'another session')![0], first[0]);
  });

  it('reads what several calls added when one of them is asked for, and no message that a later one has', () => {
    const history = new MessageHistory();
    const members = ['a', 'b', 'c', 'd'].map((text) => say('user', text));
    const found = members.map((_, at) => {
      const bytes = Buffer.from(`[${members.slice(0, at + 1).join()}]`);
      const sent = history.find('s', bytes, 0, bytes.length)!;
      return { sent, look: () => history.read(sent, bytes, 0, bytes.length) };
    });
    assert.deepEqual(
      found.map(({ sent }) => [sent.list === found[0]!.sent.list, sent.known]),
      [0, 1, 2, 3].map((at) => [true, at === 0 ? 0 : `[${members.slice(0, at).join()}`.length]),
    );
    assert.equal(found[1]!.look()!.length, 2);
    assert.equal(found[3]!.look()!.length, 4);
    assert.equal(found[2]!.look(), undefined);
    assert.deepEqual(found[3]!.look(), parseMessages(`[${members.join()}]`));
  });

  it('keeps apart what several agents say in one session', () => {
    const history = new MessageHistory();
    const [a, b] = [say('user', 'a'), say('user', 'b')];
    const ofA = read(history, `[${a}]`)!;
    const ofB = read(history, `[${b}]`)!;
    assert.equal(read(history, `[${a},${b}]`)![0], ofA[0]);
    assert.equal(read(history, `[${b},${a}]`)![0], ofB[0]);
  });

  it('gives what reading the whole gives, whatever is sent and whatever is forgotten', () => {
    const valid = fc.constantFrom(
      say('user', 'a'),
      say('user', 'b,[]'),
      '{"role":"assistant","content":[{"type":"text","text":"x"}]}',
    );
    const member = fc.oneof(
      { weight: 6, arbitrary: valid },
      fc.constantFrom(
        '1',
        '12',
        '"t"',
        '"t\\",',
        '[]',
        '{}',
        'null',
        '["p","q"]',
        '',
        '{"role":"tool","content":',
        '\xff',
      ),
    );
    const space = fc.constantFrom('', '', '', '', ' ', '\n ');
    const list = fc
      .tuple(
        fc.array(member, { maxLength: 4 }),
        space,
        fc.constantFrom(',', ', ', ' ,'),
        fc.constantFrom('[', '[', '[', '[', '', ' ['),
        fc.constantFrom(']', ']', ']', ']', ']', '', ' ] '),
      )
      .map(([members, inner, between, open, close]) => `${open}${members.join(between)}${inner}${close}`);
    // Calls of which nothing is read, or only when others have come.
    const when = fc.constantFrom('at once', 'at once', 'never', 'later');
    const grows = fc.constantFrom(false, true, true);
    const sent = fc.array(fc.tuple(fc.constantFrom('s', 's', 's', 't'), list, when, grows), { maxLength: 40 });
    let [known, later] = [0, 0];
    fc.assert(
      fc.property(sent, fc.integer({ min: 0, max: 20_000 }), (requests, bytesMax) => {
        const history = new MessageHistory({ bytesMax });
        const waiting: (() => number)[] = [];
        let before = '';
        for (const [session, list, when, isMore] of requests) {
          const text = isMore && before.endsWith(']') ? `${before.slice(0, -1)},${list.replace(/^ ?\[/, '')}` : list;
          before = text;
          const bytes = Buffer.from(`..${text}..`);
          const found = history.find(session, bytes, 2, bytes.length - 2);
          assert.ok(history.weight <= bytesMax);
          if (found === undefined || when === 'never') continue;
          if (found.known > 0) known++;
          const look = (): number => {
            const messages = history.read(found, bytes, 2, bytes.length - 2);
            if (messages === undefined) return 0;
            assert.deepEqual(messages, parseMessages(text));
            assert.equal(history.listOf(messages), found.list);
            return 1;
          };
          if (when === 'at once') look();
          else waiting.push(look);
          assert.ok(history.weight <= bytesMax);
        }
        for (const look of waiting) later += look();
        assert.ok(history.weight <= bytesMax);
      }),
      { numRuns: 500 },
    );
    assert.ok(known > 50 && later > 50, `${known} ${later}`);
  });

  it('tells of the calls that sent less what it tells when nothing came after them', () => {
    const history = new MessageHistory();
    const asks = (name: string) =>
      JSON.stringify({ role: 'assistant', parts: [{ type: 'tool_call', id: 'one', name }] });
    const all = [say('user', 'pay a@b.example'), asks('orders.read'), say('user', 'or c@d.example'), asks('mail.read')];
    const earlier = read(history, `[${all.slice(0, 2).join()}]`)!;
    const list = history.listOf(earlier);
    const later = read(history, `[${all.join()}]`)!;
    assert.equal(history.listOf(earlier), undefined);
    assert.equal(history.listOf(later), list);
    for (const messages of [later, earlier, later]) {
      assert.deepEqual(callFinder(messages, list)('one'), callFinder(messages, undefined)('one'));
      assert.equal(callFinder(messages, list)('two'), undefined);
      assert.deepEqual(textsOf(messages, 'user', list), textsOf(messages, 'user'));
      const contents = (known: typeof list) =>
        provenanceItems(
          provenanceContents({
            ...{ tool: '', arguments: null, results: [], retrieved: [], system: [], proposed: [] },
            ...{ input: messages, list: known },
          }),
          'value',
        );
      assert.deepEqual(contents(list), contents(undefined));
      assert.equal(contents(list).length, messages === later ? 2 : 1);
    }
  });

  it('tells whether all of it is plain characters', () => {
    const history = new MessageHistory();
    const [plain, escaped] = [say('user', 'a\n"b"'), say('user', '\u0001')];
    const isPlain = (...members: readonly string[]) => history.listOf(read(history, `[${members.join()}]`)!)!.isPlain;
    assert.ok(isPlain(plain) && isPlain(plain, plain) && isPlain(plain, plain));
    assert.ok(!isPlain(plain, plain, escaped) && !isPlain(plain, plain, escaped, plain));
    assert.ok(!isPlain(plain, say('user', 'é')) && !isPlain(escaped));
    assert.ok(isPlain(plain));
  });

  it('counts what is worked out of conversations, until they are forgotten', () => {
    const history = new MessageHistory({ sessionsMax: 1 });
    const messages = read(history, `[${say('user', 'a')},${say('user', 'b')}]`)!;
    const list = history.listOf(messages)!;
    const before = history.weight;
    textsOf(messages, 'user', list);
    assert.ok(history.weight > before);
    read(history, `[${say('user', 'c')}]`, 'another session');
    const after = history.weight;
    callFinder(messages, list);
    const other = new MessageHistory();
    read(other, `[${say('user', 'c')}]`, 'another session');
    assert.deepEqual([after, history.weight], [other.weight, other.weight]);
  });

  it('leaves lists that are too long, and more messages than are looked at, to be read as a whole', () => {
    const history = new MessageHistory({ listBytesMax: 100_000 });
    assert.equal(read(history, `[${say('user', 'x'.repeat(100_000))}]`), undefined);
    const many = Array.from({ length: 1_999 }, () => '"x"').join(',');
    assert.equal(read(history, `[${many}]`)!.length, 1_999);
    assert.equal(read(history, `[${many},"y"]`)!.length, 2_000);
    assert.equal(read(history, `[${many},"y","z"]`), undefined);
    assert.equal(read(history, `[["a","b","c"],${many}]`)!.length, 2_000);
  });
});
