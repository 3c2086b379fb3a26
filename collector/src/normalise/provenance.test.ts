import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { asksApproval, isApproval, provenanceItems, sourceClass, usedLabel, type Way } from './provenance.ts';
import { provenanceContents } from './provenance-contents.ts';
import { fingerprints } from './shingles.ts';
import { definitionHashes } from './tool-definitions.ts';

function itemsOf(text: string, way: Way = 'value'): readonly string[] {
  return provenanceItems([{ text, role: 'source', when: 'end', label: 'untrusted' }], way);
}

function kindsOf(text: string, way: Way = 'value'): string[] {
  return itemsOf(text, way).map((item) => item.split(' ')[3]!);
}

const hashOf = (item: string | undefined): string => item!.split(' ')[4]!;

describe('values by which content is recognised', () => {
  for (const [text, kinds] of [
    ['See https://shop.example.org/a?b=c.', ['url', 'host']],
    ['Write to rosa@example.org', ['email']],
    ['visit ammyscam.com, today', ['host']],
    ['read notes.md and main.py of v1.2.3 e.g. now', []],
    ['Pay to US133000000121212121212', ['account']],
    ['Pay to GB29 NWBK 6016 1331 9268 19 now', ['account', 'pii']],
    ['card 4111 1111 1111 1111', ['pii']],
    ['AKIA7QX2LMN4PRST6UVW', ['secret']],
    ['nothing to follow here', []],
  ] as const) {
    test(text, () => assert.deepEqual(kindsOf(text), kinds));
  }

  test('the same value in another form is the same, and no value is in its item', () => {
    assert.equal(hashOf(itemsOf('ROSA@Example.org')[0]), hashOf(itemsOf('to: <rosa@example.org>')[0]));
    assert.equal(hashOf(itemsOf('HTTPS://a.example.org/X/')[0]), hashOf(itemsOf('https://a.example.org/x')[0]));
    for (const secret of ['AKIA7QX2LMN4PRST6UVW', '4111111111111111', 'GB29NWBK60161331926819']) {
      for (const item of itemsOf(`it is ${secret}.`)) assert.ok(!item.includes(secret), item);
    }
  });

  test('encoded values are found where they stand plain nowhere', () => {
    const encoded = `run ${Buffer.from('mail rosa@example.org today').toString('base64')}`;
    assert.deepEqual(kindsOf(encoded, 'decoded'), ['email']);
    assert.match(itemsOf(encoded, 'decoded')[0]!, /^source:decoded end untrusted email /);
    assert.deepEqual(kindsOf('mail rosa@example.org today', 'decoded'), []);
  });

  test('any text gives bounded items of one line', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 400 }),
        fc.constantFrom<Way>('value', 'decoded', 'words', 'ids'),
        (text, way) => {
          for (const item of itemsOf(text, way)) assert.ok(item.length < 256 && !item.includes('\n'));
        },
      ),
    );
    const many = Array.from({ length: 5000 }, (_, index) => `u${index}@example.org`).join(' ');
    assert.equal(itemsOf(many).length, 1024);
  });
});

describe('copies of text', () => {
  const words = (count: number, from = 0) =>
    Array.from({ length: count }, (_, index) => `word${from + index}`).join(' ');

  test('a run of nine words shares a fingerprint, case and punctuation aside', () => {
    const source = fingerprints(words(60)).split(',');
    const copy = fingerprints(`Hello, ${words(9, 20).toUpperCase().replaceAll(' ', ', ')}! Bye`).split(',');
    assert.ok(copy.some((each) => source.includes(each)));
    assert.ok(!source.some((each) => fingerprints(words(60, 100)).includes(each)));
  });
});

describe('what content is', () => {
  test('results of tools are untrusted unless their name says otherwise', () => {
    assert.equal(sourceClass('browse_page'), 'untrusted');
    assert.equal(sourceClass('lookup'), 'untrusted');
    assert.equal(sourceClass('search_contacts'), 'internal');
    assert.equal(sourceClass('get_user_emails'), 'untrusted');
  });

  test('calls carry the effects of their tool', () => {
    assert.equal(usedLabel('send_money', null), 'send+pay');
    assert.equal(usedLabel('get_balance', null), '-');
  });

  test('an approval is an answer that is no refusal', () => {
    assert.ok(asksApproval('request_approval') && asksApproval('confirmPayment') && !asksApproval('send'));
    assert.ok(isApproval(['approved by Kim']) && !isApproval(['No, denied']) && !isApproval([]));
  });

  test('of a model call the user is trusted, results are sources from its start, proposals are there at its end', () => {
    const contents = provenanceContents({
      tool: '',
      arguments: null,
      results: [],
      retrieved: [],
      system: ['Be kind.'],
      input: [
        { role: 'user', parts: [{ kind: 'text', text: 'Pay Rosa' }] },
        { role: 'assistant', parts: [{ kind: 'tool_call', id: '1', name: 'get_balance', arguments: null }] },
        { role: 'tool', parts: [{ kind: 'tool_result', id: '1', result: '12 EUR' }] },
      ],
      proposed: [{ name: 'send_money', arguments: { to: 'rosa' } }],
    });
    assert.deepEqual(
      contents.map(({ text, role, when, label }) => `${text}: ${role} ${when} ${label}`),
      [
        'Be kind.: trusted start user_supplied',
        'Pay Rosa: trusted start user_supplied',
        '12 EUR: source start internal',
        'rosa: used end send+pay',
      ],
    );
  });
});

test('hashes of tool definitions follow what a model reads, in any shape', () => {
  const otel = [{ type: 'function', name: 'pay', description: 'Pays  back.\n', parameters: { a: 1, b: [2] } }];
  const same = [{ parameters: { b: [2], a: 1 }, description: 'Pays back.', name: 'pay', type: 'function' }];
  const [first] = definitionHashes(JSON.stringify(otel));
  assert.match(first!, /^pay [0-9a-f]{16}$/);
  assert.deepEqual(definitionHashes(JSON.stringify(same)), [first]);
  assert.notDeepEqual(definitionHashes(JSON.stringify([{ ...otel[0], description: 'Pays me.' }])), [first]);
  const openai = { type: 'function', function: { name: 'pay', description: 'x' } };
  assert.match(definitionHashes([openai])[0]!, /^pay /);
  assert.match(definitionHashes({ tools: [{ name: 'pay', inputSchema: {} }] })[0]!, /^pay /);
  for (const odd of [undefined, null, 'text', '[', [1, null, {}], {}]) assert.deepEqual(definitionHashes(odd), []);
});
