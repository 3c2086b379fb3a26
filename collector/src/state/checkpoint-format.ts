/**
 * The bytes of a checkpoint file. Numbers are little-endian.
 *
 *   header, 48 bytes                          section
 *     0  8  magic "SWSTATE\n"                   0  4  length
 *     8  2  format version                      4  4  CRC of its bytes
 *    10  6  zero                                8     bytes
 *    16  8  number of the last journal piece
 *           that is in the state
 *    24  8  sequence of the earliest segment that may hold a later piece
 *    32  8  time, ms since the epoch
 *    40  4  number of sections
 *    44  4  CRC of the 44 bytes before
 *
 * A file that was not written to its end lacks bytes of a section, so it is told from a whole one. The CRC is zlib's, as in
 * segments, because Node has it as native code.
 */
import { crc32 } from 'node:zlib';

export interface Checkpoint {
  /** Everything in the journal up to this number is in the state. */
  readonly number: number;
  /** Segments before this one hold nothing that comes after the state. */
  readonly segment: number;
  readonly timeMs: number;
  /** The state, in pieces. */
  readonly sections: readonly Uint8Array[];
}

export type CheckpointReading =
  | { readonly status: 'ok'; readonly checkpoint: Checkpoint }
  | { readonly status: 'damaged' }
  | { readonly status: 'newer' };

const magic = Buffer.from('SWSTATE\n', 'latin1');
const formatVersion = 1;
export const headerBytes = 48;
const sectionHeadBytes = 8;

/** What stands before the sections: known once they are all there. */
export type CheckpointHead = Omit<Checkpoint, 'sections'> & { readonly sections: number };

export function encodeHeader({ number, segment, timeMs, sections }: CheckpointHead): Uint8Array {
  const header = Buffer.alloc(headerBytes);
  magic.copy(header);
  header.writeUInt16LE(formatVersion, 8);
  header.writeBigUInt64LE(BigInt(number), 16);
  header.writeBigUInt64LE(BigInt(segment), 24);
  header.writeBigUInt64LE(BigInt(Math.max(0, Math.trunc(timeMs))), 32);
  header.writeUInt32LE(sections, 40);
  header.writeUInt32LE(crc32(header.subarray(0, 44)), 44);
  return header;
}

/** What stands before the bytes of a section. */
export function encodeSectionHead(section: Uint8Array): Uint8Array {
  const head = Buffer.alloc(sectionHeadBytes);
  head.writeUInt32LE(section.length);
  head.writeUInt32LE(crc32(section), 4);
  return head;
}

/** Takes any bytes. The sections share them. */
export function decodeCheckpoint(bytes: Buffer): CheckpointReading {
  if (bytes.length < headerBytes || magic.compare(bytes, 0, magic.length) !== 0) return { status: 'damaged' };
  if (crc32(bytes.subarray(0, 44)) !== bytes.readUInt32LE(44)) return { status: 'damaged' };
  if (bytes.readUInt16LE(8) !== formatVersion) return { status: 'newer' };
  const sections: Buffer[] = [];
  let at = headerBytes;
  for (let left = bytes.readUInt32LE(40); left > 0; left--) {
    if (bytes.length - at < sectionHeadBytes) return { status: 'damaged' };
    const length = bytes.readUInt32LE(at);
    const crc = bytes.readUInt32LE(at + 4);
    at += sectionHeadBytes;
    if (length > bytes.length - at) return { status: 'damaged' };
    const section = bytes.subarray(at, at + length);
    if (crc32(section) !== crc) return { status: 'damaged' };
    sections.push(section);
    at += length;
  }
  if (at !== bytes.length) return { status: 'damaged' };
  const [number, segment, timeMs] = [16, 24, 32].map((offset) => Number(bytes.readBigUInt64LE(offset)));
  return { status: 'ok', checkpoint: { number: number!, segment: segment!, timeMs: timeMs!, sections } };
}
