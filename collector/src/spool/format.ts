/**
 * The bytes of a segment file. Numbers are little-endian.
 *
 *   segment header, 48 bytes             record header, 56 + 12 × tables
 *     0  8  magic "SWSEG\r\n\x1a"           0  8  marker of the spool
 *     8  2  format version                  8  4  CRC of the header from byte 12 on
 *    10  6  zero                           12  4  CRC of the payload
 *    16  8  spool id                       16  4  payload length
 *    24  8  segment sequence               20  1  number of tables, then 3 × zero
 *    32  8  marker of the spool            24  8  record sequence
 *    40  4  salt                           32  8  time of arrival, ms since the epoch
 *    44  4  CRC of the 44 bytes before     40 16  batch digest
 *                                          56 12  per table: byte of RowTable, columns of a row (0: not said), 2 × zero,
 *                                                 rows u32, bytes u32
 *
 * After a record's header stands its payload: the RowBinary bytes of its tables, back to back in the header's order. The
 * journal of detection has an entry like a table's, under a byte of its own and with 0 rows, and after it comes the request
 * as it was sent, under another; records may lack both.
 * One record is one batch, so a batch is there as a whole or not at all.
 *
 * The CRC is the CRC-32 of zlib and not CRC-32C: node:zlib has it as native code (several GB/s), while CRC-32C would be
 * JavaScript on the hot path or a native dependency. Both find every torn or flipped record of this size equally well.
 *
 * The header has a CRC of its own so that record headers can be trusted without reading payloads. The marker is random
 * and secret: after damage the reader looks for it, and payloads are written by strangers, who must not be able to place
 * something there that reads as a record.
 */
import { crc32 } from 'node:zlib';
import { limits } from '../model/limits.ts';
import type { ColumnCounts, SpoolBatch } from './contract.ts';
import { journalByte, originalByte, tableByte } from './tables.ts';

export const segmentHeaderBytes = 48;
export const recordHeaderBytesMin = 56;
export const recordHeaderBytesMax = 56 + 12 * 255;
export const markerBytes = 8;
export const digestBytes = 16;
/** A record's sequence is segment sequence × this + its place, so it grows for ever without being kept anywhere. */
export const recordsPerSegmentMax = 1 << 20;
/** No segment is larger: a config's `segment_bytes_max` and one record over it. */
export const segmentFileBytesMax = 1024 * 1024 * 1024;

const formatVersion = 1;
const segmentMagic = Buffer.from('SWSEG\r\n\x1a', 'latin1');
const tableEntryBytes = 12;

export interface SegmentHeader {
  /** 16 hex digits. */
  readonly spoolId: string;
  readonly sequence: number;
  readonly marker: Buffer;
  /** 8 hex digits, random per segment: keeps ids unique even when a data directory is put back from a backup. */
  readonly salt: string;
}

/** A batch with what can be computed of its record before its place is known. */
export interface PreparedRecord {
  readonly digest: Uint8Array;
  readonly timeMs: number;
  readonly rows: number;
  /** Header and payload. */
  readonly bytes: number;
  readonly payloadCrc: number;
  readonly tables: readonly TableEntry[];
  readonly payload: readonly Uint8Array[];
}

export interface TableEntry {
  /** A byte of RowTable, or of a newer version's. */
  readonly table: number;
  readonly columns: number;
  readonly rows: number;
  readonly bytes: number;
}

export interface RecordHeader {
  readonly headerBytes: number;
  readonly payloadBytes: number;
  readonly payloadCrc: number;
  readonly sequence: number;
  readonly timeMs: number;
  readonly digest: Buffer;
  readonly tables: readonly TableEntry[];
}

/** What a reader needs to know about a file whose segment header may be damaged. */
export interface ScanExpectation {
  readonly marker: Buffer;
  readonly sequence: number;
}

export interface ScannedRecord extends RecordHeader {
  /** Where the record's header begins. */
  readonly offset: number;
}

/** `torn`: a write that did not finish, at the end. `corrupt`: bytes that were something else once. */
export interface Damage {
  readonly kind: 'torn' | 'corrupt';
  readonly start: number;
  readonly end: number;
}

export interface SegmentScan {
  /** Undefined when the file's header is damaged or missing. */
  readonly header: SegmentHeader | undefined;
  readonly records: readonly ScannedRecord[];
  readonly damage: readonly Damage[];
  /** Where the last valid record ends; 0 when there is none. */
  readonly end: number;
}

/**
 * Every valid record of a segment, in order, and what lies between them. Checks all CRCs. Takes any bytes and never
 * throws; the records' buffers share `bytes`.
 */
export function scanSegment(bytes: Buffer, expected: ScanExpectation): SegmentScan {
  const header = decodeSegmentHeader(bytes);
  const { marker, sequence } = header ?? expected;
  const records: ScannedRecord[] = [];
  const damage: Damage[] = [];
  let offset = header ? segmentHeaderBytes : 0;
  let end = 0;
  let floor = sequence * recordsPerSegmentMax;
  const ceiling = floor + recordsPerSegmentMax;
  while (offset < bytes.length) {
    const record = validRecord(bytes, offset, marker, floor, ceiling);
    if (record) {
      records.push(record);
      floor = record.sequence + 1;
      offset = end = offset + record.headerBytes + record.payloadBytes;
      continue;
    }
    const next = nextValidRecord(bytes, offset, marker, floor, ceiling);
    const kind = next < 0 && isTorn(bytes, offset, marker) ? 'torn' : 'corrupt';
    damage.push({ kind, start: offset, end: next < 0 ? bytes.length : next });
    if (next < 0) break;
    offset = next;
  }
  return { header, records, damage, end };
}

/** The bytes of one table of one record; undefined when the record has none for it. */
export function tableSlices(bytes: Buffer, record: ScannedRecord, table: number): Buffer[] {
  const slices: Buffer[] = [];
  let offset = record.offset + record.headerBytes;
  for (const entry of record.tables) {
    if (entry.table === table && entry.bytes > 0) slices.push(bytes.subarray(offset, offset + entry.bytes));
    offset += entry.bytes;
  }
  return slices;
}

export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const out = Buffer.alloc(segmentHeaderBytes);
  segmentMagic.copy(out, 0);
  out.writeUInt16LE(formatVersion, 8);
  out.write(header.spoolId, 16, 8, 'hex');
  out.writeBigUInt64LE(BigInt(header.sequence), 24);
  header.marker.copy(out, 32, 0, markerBytes);
  out.write(header.salt, 40, 4, 'hex');
  out.writeUInt32LE(crc32(out.subarray(0, 44)), 44);
  return out;
}

/** Undefined when the bytes are too few or damaged. See `hasUnknownVersion` for one of another version. */
export function decodeSegmentHeader(bytes: Buffer): SegmentHeader | undefined {
  if (!isSegmentHeader(bytes) || bytes.readUInt16LE(8) !== formatVersion) return undefined;
  const sequence = safeNumber(bytes, 24);
  if (sequence === undefined || sequence > segmentSequenceMax) return undefined;
  return {
    spoolId: bytes.toString('hex', 16, 24),
    sequence,
    marker: Buffer.from(bytes.subarray(32, 40)),
    salt: bytes.toString('hex', 40, 44),
  };
}

/** Whether an intact segment header says a format version that this program does not know. */
export function hasUnknownVersion(bytes: Buffer): boolean {
  return isSegmentHeader(bytes) && bytes.readUInt16LE(8) !== formatVersion;
}

/** Highest segment sequence whose record sequences are still exact in a double. */
export const segmentSequenceMax = 2 ** 33 - 2;

/** A batch as a record without its place. Something must be in it, and the payload under 4 GiB. */
export function prepareRecord(batch: SpoolBatch, timeMs: number, columns: ColumnCounts = {}): PreparedRecord {
  const tables: TableEntry[] = [];
  const payload: Uint8Array[] = [];
  let payloadBytes = 0;
  let payloadCrc = 0;
  const add = (table: number, bytes: Uint8Array, count: number, width: number): void => {
    if (bytes.length === 0) return;
    tables.push({ table, columns: width, rows: count, bytes: bytes.length });
    payload.push(bytes);
    payloadBytes += bytes.length;
    payloadCrc = crc32(bytes, payloadCrc);
  };
  for (const { table, bytes, count } of batch.rows) add(tableByte(table), bytes, count, columns[table] ?? 0);
  const rows = tables.reduce((sum, each) => sum + each.rows, 0);
  if (batch.journal) add(journalByte, batch.journal, 0, 0);
  if (batch.original) add(originalByte, batch.original.bytes, batch.original.records, batch.original.kind);
  const bytes = recordHeaderBytesMin + tableEntryBytes * tables.length + payloadBytes;
  return { digest: batch.digest, timeMs, rows, bytes, payloadCrc, tables, payload };
}

export function encodeRecordHeader(record: PreparedRecord, marker: Buffer, sequence: number): Buffer {
  const headerBytes = recordHeaderBytesMin + tableEntryBytes * record.tables.length;
  const out = Buffer.alloc(headerBytes);
  marker.copy(out, 0, 0, markerBytes);
  out.writeUInt32LE(record.payloadCrc, 12);
  out.writeUInt32LE(record.bytes - headerBytes, 16);
  out.writeUInt8(record.tables.length, 20);
  out.writeBigUInt64LE(BigInt(sequence), 24);
  out.writeBigUInt64LE(BigInt(record.timeMs), 32);
  out.set(record.digest, 40);
  let offset = recordHeaderBytesMin;
  for (const entry of record.tables) {
    out.writeUInt8(entry.table, offset);
    out.writeUInt8(entry.columns, offset + 1);
    out.writeUInt32LE(entry.rows, offset + 4);
    out.writeUInt32LE(entry.bytes, offset + 8);
    offset += tableEntryBytes;
  }
  out.writeUInt32LE(crc32(out.subarray(12)), 8);
  return out;
}

/** The record header at an offset, its CRC checked but not its payload's; undefined when cut short or damaged. */
export function decodeRecordHeader(bytes: Buffer, offset: number, marker: Buffer): RecordHeader | undefined {
  if (bytes.length - offset < recordHeaderBytesMin) return undefined;
  if (marker.compare(bytes, offset, offset + markerBytes) !== 0) return undefined;
  const tableCount = bytes.readUInt8(offset + 20);
  const headerBytes = recordHeaderBytesMin + tableEntryBytes * tableCount;
  if (bytes.length - offset < headerBytes) return undefined;
  if (crc32(bytes.subarray(offset + 12, offset + headerBytes)) !== bytes.readUInt32LE(offset + 8)) return undefined;
  const sequence = safeNumber(bytes, offset + 24);
  const timeMs = safeNumber(bytes, offset + 32);
  const payloadBytes = bytes.readUInt32LE(offset + 16);
  if (sequence === undefined || timeMs === undefined || payloadBytes > limits.spoolRecordBytesMax) return undefined;
  const tables: TableEntry[] = [];
  let tableBytes = 0;
  for (let entry = offset + recordHeaderBytesMin; entry < offset + headerBytes; entry += tableEntryBytes) {
    const length = bytes.readUInt32LE(entry + 8);
    tables.push({
      table: bytes.readUInt8(entry),
      columns: bytes.readUInt8(entry + 1),
      rows: bytes.readUInt32LE(entry + 4),
      bytes: length,
    });
    tableBytes += length;
  }
  if (tableBytes !== payloadBytes) return undefined;
  const payloadCrc = bytes.readUInt32LE(offset + 12);
  const digest = bytes.subarray(offset + 40, offset + 40 + digestBytes);
  return { headerBytes, payloadBytes, payloadCrc, sequence, timeMs, digest, tables };
}

function validRecord(
  bytes: Buffer,
  offset: number,
  marker: Buffer,
  floor: number,
  ceiling: number,
): ScannedRecord | undefined {
  const record = decodeRecordHeader(bytes, offset, marker);
  if (!record || record.sequence < floor || record.sequence >= ceiling) return undefined;
  const start = offset + record.headerBytes;
  if (record.payloadBytes > bytes.length - start) return undefined;
  if (crc32(bytes.subarray(start, start + record.payloadBytes)) !== record.payloadCrc) return undefined;
  return { ...record, offset };
}

/** Where the first valid record after damage at `offset` begins, or -1. */
function nextValidRecord(bytes: Buffer, offset: number, marker: Buffer, floor: number, ceiling: number): number {
  let candidate = bytes.indexOf(marker, afterDamage(bytes, offset, marker));
  while (candidate >= 0) {
    if (validRecord(bytes, candidate, marker, floor, ceiling)) return candidate;
    candidate = bytes.indexOf(marker, afterDamage(bytes, candidate, marker));
  }
  return -1;
}

/** A record whose header is intact says itself where it ends, so its damaged payload need not be looked through. */
function afterDamage(bytes: Buffer, offset: number, marker: Buffer): number {
  const record = decodeRecordHeader(bytes, offset, marker);
  return record ? offset + record.headerBytes + record.payloadBytes : offset + 1;
}

/** Whether the last bytes look like a write that a crash cut short: too few of them, or blocks that stayed zero. */
function isTorn(bytes: Buffer, offset: number, marker: Buffer): boolean {
  if (bytes.length - offset < recordHeaderBytesMin) return true;
  const record = decodeRecordHeader(bytes, offset, marker);
  if (record) return record.payloadBytes > bytes.length - offset - record.headerBytes;
  if (marker.compare(bytes, offset, offset + markerBytes) === 0) {
    return bytes.length - offset < recordHeaderBytesMin + tableEntryBytes * bytes.readUInt8(offset + 20);
  }
  for (let index = offset; index < bytes.length; index++) {
    if (bytes[index] !== 0) return false;
  }
  return true;
}

function isSegmentHeader(bytes: Buffer): boolean {
  return (
    bytes.length >= segmentHeaderBytes &&
    segmentMagic.compare(bytes, 0, segmentMagic.length) === 0 &&
    crc32(bytes.subarray(0, 44)) === bytes.readUInt32LE(44)
  );
}

function safeNumber(bytes: Buffer, offset: number): number | undefined {
  const value = bytes.readBigUInt64LE(offset);
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : undefined;
}
