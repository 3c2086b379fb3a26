import { limits } from '../model/limits.ts';
import { Exemplar, type MetricKind, metricKinds, Point } from '../model/metric-batch.ts';
import type { AttributeReader } from './attributes.ts';
import { NumberLists } from './number-lists.ts';
import { offsetColumns, type PointField, pointFields } from './point-fields.ts';
import { Table } from './tables.ts';
import { isZero, type WireReader, WireType } from './wire.ts';

/** A part of the bytes that is read later. */
type Range = readonly [start: number, stop: number];

/**
 * Data points of every kind → rows. What comes in pieces, as lists may and attributes do, is gathered first, so that each
 * lies in one run: exemplars have attributes of their own, and are read last.
 */
export class PointReader {
  readonly points = new Table(Point.stride, 1024, 'data points');
  readonly exemplars = new Table(Exemplar.stride, 64, 'exemplars');
  readonly numbers = new NumberLists();
  readonly #reader: WireReader;
  readonly #attributes: AttributeReader;
  /** Of the point that is being read: lists by the column of their start, quantiles and exemplars. */
  readonly #ranges = new Map<number, [wireType: number, range: Range][]>();

  constructor(reader: WireReader, attributes: AttributeReader) {
    this.#reader = reader;
    this.#attributes = attributes;
  }

  reset(): void {
    this.points.reset(65_536);
    this.exemplars.reset(65_536);
    this.numbers.reset();
  }

  /** Reads one point of a metric; returns why it must be refused, if so. */
  read(end: number, kind: MetricKind, metric: number): string | undefined {
    const before = [this.#attributes.table.count, this.exemplars.count, this.numbers.count] as const;
    const at = this.points.add();
    const rows = this.points.rows;
    rows.fill(0, at, at + Point.stride);
    for (const column of offsetColumns) rows[at + column] = -1;
    rows[at + Point.metric] = metric;
    this.#reader.place(rows, at + Point.message, end);
    rows[at + Point.kind] = metricKinds.indexOf(kind);
    this.#attributes.tooDeep = false;
    this.#ranges.clear();
    this.#fields(end, at, pointFields[kind], before[0]);
    rows[at + Point.attributes] = before[0];
    rows[at + Point.attributeCount] = this.#attributes.table.count - before[0];
    const problem = this.#gathered(at, pointFields[kind]);
    this.#reader.pos = end;
    const reason = this.#attributes.tooDeep
      ? `an attribute nests deeper than ${limits.nestingDepthMax} levels`
      : problem;
    if (reason === undefined) return undefined;
    this.points.count--;
    [this.#attributes.table.count, this.exemplars.count] = before;
    this.numbers.reset(before[2]);
    return reason;
  }

  #fields(end: number, at: number, fields: Readonly<Record<number, PointField>>, firstAttribute: number): void {
    const reader = this.#reader;
    const rows = this.points.rows;
    while (reader.pos < end) {
      const tag = reader.tag(end);
      const field = fields[tag >>> 3];
      if (field === undefined) {
        reader.skip(tag & 7, end);
        continue;
      }
      const { reading, column } = field;
      if (reading === 'offset') {
        reader.expect(tag & 7, WireType.fixed64, 'a number of a data point');
        rows[at + column] = reader.fixed(8, end);
      } else if (reading === 'varint' || reading === 'zigzag') {
        reader.expect(tag & 7, WireType.varint, 'a number of a data point');
        const value = reader.varint32(end);
        rows[at + column] = reading === 'varint' ? value : unzigzag(value);
      } else if (reading === 'attribute') {
        reader.expect(tag & 7, WireType.bytes, 'attributes');
        this.#attributes.read(reader.range(end), firstAttribute);
      } else this.#gather(tag & 7, field, end);
    }
  }

  /** Keeps for later where a part of a list, a quantile or an exemplar is; of exemplars no more than so many. */
  #gather(wireType: number, { reading, column }: PointField, end: number): void {
    const reader = this.#reader;
    const start = reader.pos;
    if (reading !== 'fixed list' || wireType !== WireType.fixed64) reader.expect(wireType, WireType.bytes, reading);
    reader.skip(wireType, end);
    let ranges = this.#ranges.get(column);
    if (ranges === undefined) {
      ranges = [];
      this.#ranges.set(column, ranges);
    }
    if (ranges.length < limits.partsPerPointMax) ranges.push([wireType, [start, reader.pos]]);
    else this.#attributes.dropped++;
  }

  #gathered(at: number, fields: Readonly<Record<number, PointField>>): string | undefined {
    let problem: string | undefined;
    for (const { reading, column } of Object.values(fields)) {
      const ranges = this.#ranges.get(column);
      if (ranges === undefined) continue;
      const rows = this.points.rows;
      const first = reading === 'exemplar' ? this.exemplars.count : this.numbers.count;
      for (const [wireType, [start, stop]] of ranges) {
        this.#reader.pos = start;
        if (reading === 'fixed list') this.numbers.readFixed(this.#reader, wireType, stop, 'a list of a data point');
        else if (reading === 'quantile') this.#quantile(this.#reader.range(stop));
        else if (reading === 'buckets') this.#buckets(this.#reader.range(stop), at, column);
        else problem = this.#exemplar(this.#reader.range(stop)) ?? problem;
      }
      rows[at + column] = first;
      rows[at + column + 1] = (reading === 'exemplar' ? this.exemplars.count : this.numbers.count) - first;
    }
    return problem;
  }

  /** ValueAtQuantile: 1 quantile, 2 value. */
  #quantile(end: number): void {
    const reader = this.#reader;
    const pair = Buffer.alloc(16);
    while (reader.pos < end) {
      const tag = reader.tag(end);
      if (tag === 9 || tag === 17) reader.bytes.copy(pair, tag === 9 ? 0 : 8, reader.fixed(8, end), reader.pos);
      else reader.skip(tag & 7, end);
    }
    this.numbers.add(pair, 0, 2);
  }

  /** Buckets: 1 offset (sint32), 2 bucket_counts. */
  #buckets(end: number, at: number, column: number): void {
    const reader = this.#reader;
    const offset = at + (column === Point.negatives ? Point.negativeOffset : Point.positiveOffset);
    while (reader.pos < end) {
      const tag = reader.tag(end);
      if (tag === 8) this.points.rows[offset] = unzigzag(reader.varint32(end));
      else if (tag >>> 3 === 2) this.numbers.readVarints(reader, tag & 7, end, 'bucket_counts');
      else reader.skip(tag & 7, end);
    }
  }

  /** Exemplar: 2 time, 3 as_double, 4 span_id, 5 trace_id, 6 as_int, 7 filtered_attributes. */
  #exemplar(end: number): string | undefined {
    const reader = this.#reader;
    const at = this.exemplars.add();
    const rows = this.exemplars.rows;
    rows.fill(-1, at, at + Exemplar.stride);
    const first = this.#attributes.table.count;
    let problem: string | undefined;
    while (reader.pos < end) {
      const tag = reader.tag(end);
      const column = exemplarColumns[tag];
      if (column === undefined) reader.skip(tag & 7, end);
      else if (column === Exemplar.attributes) this.#attributes.read(reader.range(end), first);
      else if (column !== Exemplar.spanId && column !== Exemplar.traceId) rows[at + column] = reader.fixed(8, end);
      else problem = this.#id(reader.range(end), at, column) ?? problem;
    }
    rows[at + Exemplar.attributes] = first;
    rows[at + Exemplar.attributeCount] = this.#attributes.table.count - first;
    return problem;
  }

  #id(stop: number, at: number, column: number): string | undefined {
    const start = this.#reader.pos;
    this.#reader.pos = stop;
    const wanted = column === Exemplar.traceId ? 16 : 8;
    if (stop === start) return undefined;
    if (stop - start !== wanted) return `an exemplar has an id of ${stop - start} bytes instead of ${wanted}`;
    if (!isZero(this.#reader.bytes, start, wanted)) this.exemplars.rows[at + column] = start;
    return undefined;
  }
}

/** By tag. */
const exemplarColumns: Readonly<Record<number, number>> = {
  17: Exemplar.time,
  25: Exemplar.double,
  34: Exemplar.spanId,
  42: Exemplar.traceId,
  49: Exemplar.int,
  58: Exemplar.attributes,
};

/** https://protobuf.dev/programming-guides/encoding/#signed-ints */
function unzigzag(value: number): number {
  return (value >>> 1) ^ -(value & 1);
}
