import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { limits } from '../model/limits.ts';
import { type JsonKey, keys } from './json-keys.ts';
import { JsonKind, JsonTape } from './json-tape.ts';
import { MalformedError } from './wire.ts';

const tape = new JsonTape();
const known: readonly JsonKey[] = [keys.name, keys.traceId, keys.startTimeUnixNano];
const spellings = ['name', 'traceId', 'trace_id', 'startTimeUnixNano', 'start_time_unix_nano', 'other', '__proto__'];

/** What the tape says of a text; of objects the members that somebody reads. */
function read(text: string | Buffer): unknown {
  tape.parse(Buffer.from(text));
  return valueAt(0);
}

function valueAt(at: number): unknown {
  const kind = tape.kind(at);
  if (kind === JsonKind.number) return Number(tape.text(at));
  if (kind === JsonKind.text || kind === JsonKind.escaped) return tape.text(at);
  if (kind === JsonKind.list) {
    const list: unknown[] = [];
    for (let each = tape.first(at); each >= 0; each = tape.after(each, at)) list.push(valueAt(each));
    return list;
  }
  if (kind !== JsonKind.object) return [null, false, true][kind];
  return membersOf((key) => {
    const member = tape.member(at, key);
    return member < 0 ? null : valueAt(member);
  });
}

function membersOf(get: (key: JsonKey) => unknown): object {
  return Object.fromEntries(known.map((key) => [key.name, get(key) ?? null]));
}

/** The same by the engine. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const own = (name: string) => (Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : null);
  return membersOf(({ name }) => plain(own(name) ?? own(name.replace(/[A-Z]/g, (a) => `_${a.toLowerCase()}`))));
}

/** Both take a text and read the same, or both refuse it. */
function check(bytes: Buffer): void {
  let expected: unknown;
  let problem: string | undefined;
  try {
    expected = plain(JSON.parse(bytes.toString('utf8')));
  } catch (error) {
    problem = (error as Error).message;
  }
  if (problem === undefined) assert.deepEqual(read(bytes), expected);
  else assert.throws(() => read(bytes), new MalformedError('SW_OTLP_JSON', `body is not JSON: ${problem}`));
}

const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 5 },
    fc.oneof(fc.string({ unit: 'binary' }), fc.double(), fc.integer(), fc.boolean(), fc.constant(null)),
    fc.array(tie('any'), { maxLength: 5 }),
    fc.dictionary(fc.constantFrom(...spellings), tie('any'), { maxKeys: 5 }),
  ),
})).any;
const space = fc.constantFrom('', ' ', '\n', '\t\r ');

test('fuzz: a tape takes what JSON.parse takes, reads the same in it, and refuses the rest in the same words', () => {
  fc.assert(
    fc.property(value, space, (any, indent) => check(Buffer.from(`${indent}${JSON.stringify(any, null, indent)}`))),
    { numRuns: 1000 },
  );
  const edit = fc.record({ at: fc.nat(), out: fc.nat(3), put: fc.constantFrom(...pieces) });
  fc.assert(
    fc.property(value, fc.array(edit, { minLength: 1, maxLength: 3 }), (any, edits) => {
      let bytes = Buffer.from(JSON.stringify(any));
      for (const { at, out, put } of edits) {
        const place = at % (bytes.length + 1);
        bytes = Buffer.concat([bytes.subarray(0, place), put, bytes.subarray(place + out)]);
      }
      check(bytes);
    }),
    { numRuns: 5000 },
  );
});

const pieces = [
  ...['"', '\\', '\\"', '\\u0041', '\\ud800', '\\u00', '\\x', '{', '}', '[', ']', ',', ':', '-', '0', '1', '.', '.5'],
  ...['e', 'E+1', '01', '-0', 'null', 'nul', 'true', ' ', '\t', '\u0000', '\u001f', '\u00a0', '\ufeff', '"a":1', 'ä'],
].map((text) => Buffer.from(text));
pieces.push(Buffer.from([0xff]), Buffer.from([0xc3]), Buffer.from([0xed, 0xa0, 0x80]));

test('texts of any length, at any place in memory, end where they end', () => {
  for (let offset = 0; offset < 8; offset++) {
    for (let length = 0; length < 80; length++) {
      for (const end of ['"', '\\"', '\n', '\u001f"', '\\u0041"', 'ä"', '\u007f"', '']) {
        const text = `"${'a'.repeat(length)}${end}`;
        check(alone(`${text}${text.endsWith('\\"') ? '"' : ''}`, offset));
      }
    }
    for (const text of ['', ' ', '1', '12', '[]', 'nul']) check(alone(text, offset));
  }
});

/** A text with nothing behind it in memory. */
function alone(text: string, offset: number): Buffer {
  const memory = Buffer.allocUnsafeSlow(offset + Buffer.byteLength(text));
  memory.write(text, offset);
  return memory.subarray(offset);
}

test('names that share a place in the set of names are told apart', () => {
  tape.parse(Buffer.from(JSON.stringify(Object.fromEntries(Object.keys(keys).map((name) => [name, name])))));
  for (const key of Object.values<JsonKey>(keys)) assert.equal(tape.text(tape.member(0, key)), key.name);
  for (const { name } of Object.values<JsonKey>(keys)) {
    tape.parse(Buffer.from(JSON.stringify({ [name]: 1 })));
    const found = Object.values<JsonKey>(keys).filter((key) => tape.member(0, key) >= 0);
    assert.deepEqual(found, [keys[name as keyof typeof keys]]);
  }
});

test('bytes that are no UTF-8 are read as a decoder of it has them', () => {
  assert.deepEqual(read(Buffer.from([0x22, 0x61, 0xff, 0x22])), 'a\ufffd');
});

test('values nest as deep as the bound, and no deeper', () => {
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  tape.parse(Buffer.from(nested(limits.jsonDepthMax)));
  assert.throws(() => tape.parse(Buffer.from(nested(limits.jsonDepthMax + 1))), /nests too deeply/);
});
