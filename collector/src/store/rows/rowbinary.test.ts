import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RowWriter } from './rowbinary.ts';

function written(write: (writer: RowWriter) => void): Buffer {
  const writer = new RowWriter(64);
  write(writer);
  return writer.take();
}

function plainVarint(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt(value);
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  return [...bytes, Number(rest)];
}

describe('RowWriter', () => {
  it('writes a varint as LEB128', () => {
    fc.assert(
      fc.property(fc.nat({ max: 0xffffffff }), (value) => {
        assert.deepEqual([...written((writer) => writer.varint(value))], plainVarint(value));
      }),
    );
  });

  it('writes any text as varint length and UTF-8, from one writer in a row', () => {
    const text = fc.string({ unit: 'binary', maxLength: 300 });
    fc.assert(
      fc.property(fc.array(text, { maxLength: 20 }), (texts) => {
        const expected = texts.map((each) => {
          const utf8 = Buffer.from(each, 'utf8');
          return Buffer.concat([Buffer.from(plainVarint(utf8.length)), utf8]);
        });
        const actual = written((writer) => {
          for (const each of texts) writer.string(each);
        });
        assert.deepEqual(actual, Buffer.concat(expected));
      }),
    );
  });

  it('corrects the width of the length when UTF-8 is longer than UTF-16', () => {
    const text = 'é'.repeat(100);
    const actual = written((writer) => writer.string(text));
    assert.deepEqual(actual, Buffer.concat([Buffer.from([200, 1]), Buffer.from(text)]));
  });

  it('replaces a lone surrogate', () => {
    assert.deepEqual(
      written((writer) => writer.string('a\ud800')),
      Buffer.from([4, 97, 0xef, 0xbf, 0xbd]),
    );
  });

  it('copies byte ranges of every size', () => {
    const source = Buffer.from(Array.from({ length: 600 }, (_, index) => index & 255));
    fc.assert(
      fc.property(fc.nat({ max: 600 }), fc.nat({ max: 600 }), (a, b) => {
        const [start, end] = a < b ? [a, b] : [b, a];
        const expected = [...plainVarint(end - start), ...source.subarray(start, end)];
        assert.deepEqual([...written((writer) => writer.bytes(source, start, end))], expected);
        const view = new Uint8Array(source);
        assert.deepEqual([...written((writer) => writer.raw(view, start, end))], expected.slice(-(end - start) || 1e6));
      }),
    );
  });

  it('writes fixed integers little-endian', () => {
    assert.deepEqual([...written((writer) => writer.u8(0xab))], [0xab]);
    assert.deepEqual([...written((writer) => writer.u16(0x1234))], [0x34, 0x12]);
    assert.deepEqual([...written((writer) => writer.u32(0xfedcba98))], [0x98, 0xba, 0xdc, 0xfe]);
    assert.deepEqual([...written((writer) => writer.i64(-2n))], [0xfe, 255, 255, 255, 255, 255, 255, 255]);
    assert.deepEqual([...written((writer) => writer.u64(0x0102030405060708n))], [8, 7, 6, 5, 4, 3, 2, 1]);
    assert.deepEqual([...written((writer) => writer.u64Halves(0x05060708, 0x01020304))], [8, 7, 6, 5, 4, 3, 2, 1]);
  });

  it('writes integers as decimal text', () => {
    const digits = (value: number) => written((writer) => writer.digits(value)).toString('latin1', 1);
    for (const value of [0, 9, 10, 99, 100, 4_294_967_295]) assert.equal(digits(value), String(value));
    fc.assert(fc.property(fc.nat({ max: 0xffffffff }), (value) => assert.equal(digits(value), String(value))));
  });

  it('writes ids as hex, and nothing for an absent one', () => {
    const source = Buffer.from('00ff0a10', 'hex');
    assert.equal(written((writer) => writer.hex(source, 1, 3)).toString('latin1'), '\x06ff0a10');
    assert.deepEqual([...written((writer) => writer.hex(source, -1, 16))], [0]);
  });

  it('writes into buffers it got back, and only into those', () => {
    const writer = new RowWriter(64);
    writer.string('first');
    const first = writer.take();
    writer.string('second');
    const second = writer.take();
    writer.giveBack(first);
    writer.string('x'.repeat(40));
    writer.take();
    writer.string('third');
    assert.equal(second.toString('latin1'), '\x06second');
    assert.equal(writer.view().toString('latin1'), '\x05third');
    assert.equal(writer.buffer.buffer, first.buffer);
  });

  it('gives its bytes away and never touches them again', () => {
    const writer = new RowWriter(64);
    writer.string('first');
    const first = writer.take();
    writer.string('second');
    assert.equal(first.toString('latin1'), '\x05first');
    assert.equal(writer.view().toString('latin1'), '\x06second');
    writer.reset();
    assert.equal(writer.take().length, 0);
  });
});
