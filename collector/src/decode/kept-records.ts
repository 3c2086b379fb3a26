import { formerField } from './envelope.ts';
import type { Signal } from './json.ts';
import { WireReader, WireType } from './wire.ts';

/** Where records are: fields of each level, the last one's are the records themselves. */
const levels: Readonly<Record<Signal, readonly (readonly number[])[]>> = {
  traces: [[1], [2], [2]],
  logs: [[1], [2], [2]],
  // Metric: gauge, sum, histogram, exponential histogram, summary; data_points of each.
  metrics: [[1], [2], [2], [5, 7, 9, 10, 11], [1]],
};

/**
 * A request without some of its records: spans, log records or data points. Messages around them get shorter, those that hold none any
 * more are left out, and so is what stands where OTLP had records before 1.0; all other bytes are copied as they are.
 *
 * @param bytes in protobuf, which have been decoded.
 * @param kept where the messages of the records begin that stay.
 */
export function withRecords(bytes: Buffer, signal: Signal, kept: ReadonlySet<number>): Buffer {
  const reader = new WireReader();
  reader.reset(bytes);
  const cut = new Cut(reader, levels[signal], kept).message(bytes.length, 0);
  return cut === undefined ? bytes : Buffer.concat(cut.pieces);
}

interface CutMessage {
  readonly pieces: Buffer[];
  readonly records: number;
}

class Cut {
  readonly #reader: WireReader;
  readonly #levels: readonly (readonly number[])[];
  readonly #kept: ReadonlySet<number>;

  constructor(reader: WireReader, levels: readonly (readonly number[])[], kept: ReadonlySet<number>) {
    this.#reader = reader;
    this.#levels = levels;
    this.#kept = kept;
  }

  /** What is left of the message from here to `end`; undefined when that is all of it. */
  message(end: number, level: number): CutMessage | undefined {
    const reader = this.#reader;
    const pieces: Buffer[] = [];
    /** What is not copied yet begins here. */
    let from = reader.pos;
    let records = 0;
    const replace = (start: number, stop: number, by: readonly Buffer[]): void => {
      pieces.push(reader.bytes.subarray(from, start), ...by);
      from = stop;
    };
    while (reader.pos < end) {
      const start = reader.pos;
      const tag = reader.tag(end);
      const field = tag >>> 3;
      const isFormer = level === 1 && field === formerField;
      if ((tag & 7) !== WireType.bytes || !(isFormer || this.#levels[level]!.includes(field))) {
        reader.skip(tag & 7, end);
        continue;
      }
      const tagEnd = reader.pos;
      const stop = reader.range(end);
      if (isFormer) replace(start, stop, []);
      else if (level === this.#levels.length - 1) {
        if (this.#kept.has(reader.pos)) records++;
        else replace(start, stop, []);
      } else {
        const inner = this.message(stop, level + 1);
        if (inner === undefined) records++;
        else {
          records += inner.records;
          replace(start, stop, inner.records === 0 ? [] : within(reader.bytes.subarray(start, tagEnd), inner.pieces));
        }
      }
      reader.pos = stop;
    }
    if (pieces.length === 0) return undefined;
    pieces.push(reader.bytes.subarray(from, end));
    return { pieces, records };
  }
}

/** A length-delimited field: its tag, the length and the content. */
function within(tag: Buffer, pieces: readonly Buffer[]): Buffer[] {
  return [tag, varint(pieces.reduce((sum, { length }) => sum + length, 0)), ...pieces];
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}
