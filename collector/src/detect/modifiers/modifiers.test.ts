import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Value } from '../../model/value.ts';
import { readRules } from '../load.ts';
import { findingsOf, matches, ruleWith } from '../testing/plain-events.ts';
import { modifierKinds } from './chain.ts';

const item = (text: string) => `selection:\n  ${text}\ncondition: selection`;
const is = (text: string, value: Value | undefined, lists?: ReadonlyMap<string, readonly string[]>) =>
  matches(item(text), value === undefined ? {} : { f: value }, lists && { lists });
const errorOf = (text: string) => {
  const { errors } = readRules([{ path: 'r.yml', text: ruleWith(item(text)) }]);
  return errors[0] && `${errors[0].message} ${errors[0].advice ?? ''}`;
};
const warningOf = (text: string) =>
  readRules([{ path: 'r.yml', text: ruleWith(item(text)) }]).warnings.find(({ code }) => code !== 'SW_RULE_CONDITION')
    ?.message;

describe('text modifiers', () => {
  test('contains, startswith, endswith ignore case and take wildcards', () => {
    assert.equal(is('f|contains: BB', 'aabbcc'), true);
    assert.equal(is('f|startswith: aA', 'AAbb'), true);
    assert.equal(is('f|startswith: b', 'abb'), false);
    assert.equal(is('f|endswith: Cc', 'aacC'), true);
    assert.equal(is("f|contains: 'a*c'", 'xxaBBcxx'), true);
    assert.equal(is("f|contains: 'a?c'", 'xxaBBcxx'), false);
    assert.equal(is('f|contains: straße', 'HAUPTSTRASSE'), false);
    assert.equal(is('f|contains: σίσυφος', 'ΣΊΣΥΦΟΣ'), true);
  });

  test('on numbers, booleans, null, lists and absent fields', () => {
    assert.equal(is("f|contains: '02'", 4025), true);
    assert.equal(is('f|contains: ru', true), true);
    assert.equal(is('f|contains: u', null), false);
    assert.equal(is('f|contains: u', undefined), false);
    assert.equal(is('f|contains: u', ''), false);
    assert.equal(is('f|contains: u', ['a', ['u']]), true);
    assert.equal(is('f|contains: 25', 4025), true);
    assert.match(warningOf('f|contains: 25') ?? '', /number as text/);
    assert.match(errorOf('f|contains: true') ?? '', /fits text/);
  });

  test('all asks for every value, cased for the case', () => {
    assert.equal(is('f|contains|all: [a, b]', 'xbxax'), true);
    assert.equal(is('f|contains|all: [a, c]', 'xbxax'), false);
    assert.equal(is('f|cased: Abc', 'Abc'), true);
    assert.equal(is('f|cased: Abc', 'abc'), false);
    assert.equal(is('f|contains|cased: B', 'aBc'), true);
  });

  test('neq turns the whole item round', () => {
    assert.equal(is('f|contains|neq: [a, b]', 'xyz'), true);
    assert.equal(is('f|contains|neq: [a, b]', 'xaz'), false);
    assert.equal(is('f|neq: null', 'x'), true);
    assert.equal(is('f|neq: null', null), false);
    assert.equal(is('f|neq: null', undefined), false);
  });

  test('expansions of one value stay ORed under all', () => {
    const lists = new Map([['hosts', ['one', 'two']]]);
    assert.equal(is("f|expand|contains|all: ['%hosts%', z]", 'two z', lists), true);
    assert.equal(is("f|expand|contains|all: ['%hosts%', z]", 'two', lists), false);
  });
});

describe('encodings', () => {
  test('base64 keeps the padding, base64offset finds the value anywhere', () => {
    assert.equal(is('f|base64: hello', 'aGVsbG8='), true);
    assert.equal(is('f|base64: hello', 'aGVsbG8'), false);
    for (const before of ['', 'x', 'xy', 'xyz']) {
      const encoded = Buffer.from(`${before}Überfall€ and more`).toString('base64');
      assert.equal(is('f|base64offset|contains: Überfall€', encoded), true, before);
    }
  });

  test('UTF-16 in either order, before base64', () => {
    const le = Buffer.from('xπ😀', 'utf16le');
    assert.equal(is('f|wide|base64offset|contains: π😀', le.toString('base64')), true);
    assert.equal(is('f|utf16le|base64|contains: xπ', Buffer.from('xπ', 'utf16le').toString('base64')), true);
    const be = Buffer.from('xπ', 'utf16le').swap16();
    assert.equal(is('f|utf16be|base64: xπ', be.toString('base64')), true);
    assert.equal(is('f|utf16|base64: xπ', Buffer.from('\ufeffxπ', 'utf16le').toString('base64')), true);
  });

  test('UTF-16 alone is one character per byte, and doubtful', () => {
    assert.equal(is('f|wide: ab', 'a\0b\0'), true);
    assert.match(warningOf('f|wide: ab') ?? '', /followed by base64/);
    assert.match(warningOf('f|base64offset: ab') ?? '', /without `contains`/);
  });

  test('wildcards before an encoding are refused, escaped ones are text', () => {
    assert.match(errorOf("f|base64: 'a*'") ?? '', /may not hold wildcards/);
    assert.match(errorOf('f|contains|base64: a') ?? '', /may not hold wildcards/);
    assert.equal(is("f|base64: 'a\\*'", Buffer.from('a*').toString('base64')), true);
  });
});

describe('numbers', () => {
  test('comparisons parse texts and keep 64-bit integers exact', () => {
    assert.equal(is('f|gte: 10', '10'), true);
    assert.equal(is('f|gt: 10', '1e1'), false);
    assert.equal(is('f|gt: 9.5', '1e1'), true);
    assert.equal(is('f|lt: 10', 'abc'), false);
    assert.equal(is('f|lt: 10', true), false);
    assert.equal(is('f|lt: 10', [20, '5']), true);
    assert.equal(is('f|gt: 9007199254740992', 9007199254740993n), true);
    assert.equal(is('f|gt: 9007199254740992', '9007199254740993'), true);
    assert.equal(is('f: 9007199254740993', 9007199254740992n), false);
    assert.equal(is('f: 9007199254740993', '9007199254740993'), true);
    assert.match(errorOf('f|lt: abc') ?? '', /takes a number/);
  });

  test('a text pattern sees the shortest decimal form', () => {
    assert.equal(is("f: '4*'", 403), true);
    assert.equal(is("f: '403.0'", 403), false);
    assert.equal(is("f: '0.1'", 0.1), true);
  });

  test('booleans match themselves and their names', () => {
    assert.equal(is('f: true', true), true);
    assert.equal(is('f: true', 'TRUE'), true);
    assert.equal(is('f: true', 1), false);
    assert.equal(is('f: false', false), true);
    assert.equal(is('f: false', ''), false);
  });
});

describe('regex', () => {
  test('is unanchored and case-sensitive; i, m and s change that', () => {
    assert.equal(is("f|re: 'b+'", 'abbc'), true);
    assert.equal(is("f|re: 'B+'", 'abbc'), false);
    assert.equal(is("f|re|i: 'B+'", 'abbc'), true);
    assert.equal(is("f|re: '^b'", 'a\nb'), false);
    assert.equal(is("f|re|m: '^b'", 'a\nb'), true);
    assert.equal(is("f|re: 'a.b'", 'a\nb'), false);
    assert.equal(is("f|re|s: 'a.b'", 'a\nb'), true);
    assert.equal(is("f|re: '\\d\\*'", '7*'), true);
    assert.equal(is("f|re: '.*'", null), false);
  });

  test('what RE2 has not is refused with the place', () => {
    assert.match(errorOf("f|re: 'a(?=b)'") ?? '', /no lookaround: `\(\?=` at character 2/);
    assert.match(errorOf("f|re: '(?<!a)b'") ?? '', /lookaround/);
    assert.match(errorOf("f|re: '(a)\\1'") ?? '', /back-reference/);
    assert.match(errorOf("f|re: 'a++'") ?? '', /possessive/);
    assert.match(errorOf("f|re: '[\\u{E0001}]'") ?? '', /x\{1F600\}/);
    assert.match(errorOf("f|re: '(a'") ?? '', /not RE2 syntax/);
    assert.match(errorOf("f|re: '(a{100}){100}'") ?? '', /repeat/);
    assert.match(errorOf(`f|re: '${'a'.repeat(5000)}'`) ?? '', /longer than/);
    assert.match(errorOf(`f|re: '(?:${'[ab]{400}c'.repeat(40)})'`) ?? '', /instructions/);
    assert.match(warningOf("f|re: 'a*'") ?? '', /empty/);
  });

  test('listed values enter a regex as themselves', () => {
    const lists = new Map([['names', ['a.c']]]);
    assert.equal(is("f|re|expand: '^%names%$'", 'a.c', lists), true);
    assert.equal(is("f|re|expand: '^%names%$'", 'abc', lists), false);
    assert.equal(is("f|re|expand: '^5\\%$'", '5%', lists), true);
  });
});

describe('cidr', () => {
  test('IPv4, IPv6 and mapped addresses', () => {
    assert.equal(is('f|cidr: 10.0.0.0/8', '10.9.8.7'), true);
    assert.equal(is('f|cidr: 10.0.0.0/8', '11.0.0.1'), false);
    assert.equal(is('f|cidr: 10.0.0.0/8', '::ffff:10.1.2.3'), true);
    assert.equal(is("f|cidr: '2001:db8::/32'", '2001:DB8:1::5'), true);
    assert.equal(is("f|cidr: '2001:db8::/32'", '2001:db9::5'), false);
    assert.equal(is('f|cidr: 0.0.0.0/0', '::1'), false);
    assert.equal(is('f|cidr: 10.0.0.0/8', '10.0.0.1:80'), false);
    assert.equal(is('f|cidr: 10.0.0.0/8', '10.0.0.01'), false);
    assert.equal(is('f|cidr: [10.0.0.0/8, 192.168.0.0/16]', ['x', '192.168.3.4']), true);
    assert.equal(is('f|cidr|neq: 10.0.0.0/8', '11.0.0.1'), true);
  });

  test('host bits and nonsense are load errors', () => {
    assert.match(errorOf('f|cidr: 10.0.0.1/8') ?? '', /bits behind the prefix/);
    assert.match(errorOf('f|cidr: 10.0.0.0/33') ?? '', /0 to 32/);
    assert.match(errorOf('f|cidr: example.com') ?? '', /no IP network/);
  });
});

describe('parts of a time', () => {
  test('RFC 3339 text in UTC, with comparisons', () => {
    assert.equal(is('f|hour: 23', '2026-01-01T01:30:00+02:00'), true);
    assert.equal(is('f|year: 2025', '2026-01-01T01:30:00+02:00'), true);
    assert.equal(is('f|minute|gte: 30', '2026-01-01T01:30:00Z'), true);
    assert.equal(is('f|day: 31', '2026-01-31T00:00:00Z'), true);
    assert.equal(is('f|month: 1', '2026-01-31T00:00:00.5Z'), true);
    assert.equal(is('f|hour: 1', '2026-02-30T01:00:00Z'), false);
    assert.equal(is('f|hour: 1', 'one'), false);
  });

  test('ISO weeks at the turn of the year', () => {
    assert.equal(is('f|week: 53', '2027-01-03T12:00:00Z'), true);
    assert.equal(is('f|week: 1', '2024-12-30T00:00:00Z'), true);
    assert.equal(is('f|week: 52', '2024-12-29T00:00:00Z'), true);
  });

  test('nanoseconds since the epoch are a time too', () => {
    const rule = ruleWith(item('span.start_time|hour|gte: 22'));
    const night = BigInt(Date.UTC(2026, 0, 1, 23)) * 1_000_000n;
    assert.equal(findingsOf(rule, [{ fields: {}, startNanos: night }]).length, 1);
    assert.equal(findingsOf(rule, [{ fields: {}, startNanos: night - 7_200_000_000_000n }]).length, 0);
    assert.equal(findingsOf(rule, [{ fields: {} }]).length, 0);
  });
});

describe('expand', () => {
  const lists = new Map([['admins', ['root', 'adm*']]]);

  test('values are ORed and may hold wildcards; \\% is a percent sign', () => {
    assert.equal(is("f|expand: '%admins%'", 'ROOT', lists), true);
    assert.equal(is("f|expand: '%admins%'", 'admin7', lists), true);
    assert.equal(is("f|expand: 'x\\%admins\\%'", 'x%admins%', lists), true);
    assert.equal(is("f|expand: '100%'", '100%', lists), true);
  });

  test('an unknown placeholder rejects the rule', () => {
    assert.match(errorOf("f|expand: '%nobody%'") ?? '', /%nobody% has no values/);
  });
});

describe('fieldref', () => {
  const ref = (chain: string, f: Value, g: Value) => matches(item(`f|fieldref${chain}: g`), { f, g });

  test('compares texts of two fields, any with any', () => {
    assert.equal(ref('', 'Ab', 'aB'), true);
    assert.equal(ref('', 5, '5'), true);
    assert.equal(ref('|contains', 'xaby', 'AB'), true);
    assert.equal(ref('|startswith', 'abx', ['zz', 'ab']), true);
    assert.equal(ref('|endswith', 'xab', 'ab'), true);
    assert.equal(ref('|neq', 'a', 'b'), true);
    assert.equal(ref('|neq', ['a', 'b'], 'b'), false);
    assert.equal(ref('', null, null), false);
    assert.match(errorOf("f|fieldref: 'g*'") ?? '', /one other field/);
  });
});

describe('chains', () => {
  test('unknown modifiers name what fits', () => {
    assert.match(errorOf('f|contain: x') ?? '', /unknown modifier `contain` Write `contains`/);
    assert.match(errorOf('f|re|ignorecase: x') ?? '', /Write `i`/);
    assert.match(errorOf('f|constructor: x') ?? '', /unknown modifier/);
  });

  test('combinations that mean nothing are refused', () => {
    const refused = [
      'contains|re',
      're|contains',
      'i',
      'exists|all',
      'cidr|contains',
      'lt|gt',
      'gte|hour',
      'contains|contains',
    ];
    refused.push('base64|windash', 'windash|base64', 're|cased', 'lt|contains', 'hour|minute', 'fieldref|cased');
    for (const chain of refused) assert.notEqual(errorOf(`f|${chain}: 1`), undefined, chain);
  });

  test('every modifier alone either works or says why not', () => {
    const values = ['x', '5', 'true', 'null', '[a, b]', "''", '[]', '{a: b}'];
    for (const modifier of modifierKinds.keys()) {
      for (const value of values) {
        const { rules, errors } = readRules([{ path: 'r.yml', text: ruleWith(item(`f|${modifier}: ${value}`)) }]);
        assert.ok(errors.length > 0 || rules.length === 1, `${modifier} ${value}`);
        for (const error of errors) assert.ok(error.position, `${modifier} ${value}`);
      }
    }
  });

  test('keywords take text modifiers only', () => {
    assert.match(errorOf("'|exists': true") ?? '', /keywords/);
    assert.match(errorOf("'|neq': x") ?? '', /keywords/);
    assert.equal(matches("keywords:\n  '|re': 'n.edle'\ncondition: keywords", { f: 'a needle' }), true);
    assert.equal(matches("keywords:\n  '|contains|cased': Need\ncondition: keywords", { f: 'a needle' }), false);
  });
});
