import { EventEmitter, once } from 'node:events';
import type { Finding } from '../../model/finding.ts';
import type { RefusedRows, Rows, RowTableName, SealedSegment, SegmentSource } from '../../model/spool.ts';
import { RowWriter } from '../rows/rowbinary.ts';
import { insertColumns } from '../schema/columns.ts';

export interface TestRow {
  readonly traceId?: string;
  readonly spanId?: string;
  readonly name?: string;
  readonly timeNanos?: bigint;
  readonly attributes?: Readonly<Record<string, string>>;
  /** A row that can be read and is refused all the same: more times of events than names. */
  readonly isPoisoned?: boolean;
  /** Derived facts with one value; they stand in the last column. */
  readonly facts?: Readonly<Record<string, string>>;
}

/** Columns behind StatusMessage: those of events, of links, and ours. */
const columnsBehind = insertColumns.otel_traces.length - 15;

/**
 * Rows of otel_traces, written value by value in the order of the columns they are inserted into.
 *
 * @param columns how many of them, when not all.
 */
export function spanRows(rows: readonly TestRow[], { columns = insertColumns.otel_traces.length } = {}): Rows {
  const behind = columnsBehind - (insertColumns.otel_traces.length - columns);
  const writer = new RowWriter();
  const map = (entries: Readonly<Record<string, string>>) => {
    writer.varint(Object.keys(entries).length);
    for (const [key, value] of Object.entries(entries)) {
      writer.string(key);
      writer.string(value);
    }
  };
  for (const row of rows) {
    writer.i64(row.timeNanos ?? BigInt(Date.now()) * 1_000_000n);
    for (const text of [row.traceId ?? 't', row.spanId ?? 's', '', '', row.name ?? 'span', 'Internal', 'service']) {
      writer.string(text);
    }
    map({ 'service.name': 'service' });
    for (const text of ['scope', '1']) writer.string(text);
    map(row.attributes ?? {});
    writer.u64(5_000_000n);
    for (const text of ['Unset', '']) writer.string(text);
    writer.varint(row.isPoisoned ? 1 : 0);
    if (row.isPoisoned) writer.u64(0n);
    for (let empty = 2; empty < behind; empty++) writer.varint(0);
    const facts = Object.entries(row.facts ?? {});
    writer.varint(facts.length);
    for (const [name, text] of facts) {
      writer.string(name);
      writer.varint(1);
      writer.string(text);
    }
  }
  return { table: 'otel_traces', bytes: writer.take(), count: rows.length };
}

export function finding(changes: Partial<Finding> = {}): Finding {
  return {
    id: '00'.repeat(16),
    timeNanos: BigInt(Date.now()) * 1_000_000n,
    ruleId: 'a-rule',
    ruleTitle: 'A rule',
    ruleVersion: 'v1',
    level: 'high',
    response: 'alert',
    tags: ['attack.t1041', 'owasp.llm01'],
    reason: 'Something that should not be.',
    groupKey: 'group',
    traceId: 'ab'.repeat(16),
    spanId: 'cd'.repeat(8),
    spanName: 'execute_tool http.post',
    serviceName: 'service',
    agentName: 'support',
    conversationId: 'conversation',
    userId: 'user',
    toolName: 'http.post',
    evidence: [
      { selection: 'selection', field: 'gen_ai.tool.name', wanted: 'equals "http.post"', excerpt: 'http.post' },
      {
        selection: 'selection',
        field: '',
        wanted: 'contains "ignore"',
        excerpt: "'; DROP TABLE findings; --\\u0000 é 漢",
      },
    ],
    ...changes,
  };
}

export function segment(id: string, ...tables: readonly Rows[]): SealedSegment {
  const bytesOf = (table: RowTableName) => Buffer.from(tables.find((rows) => rows.table === table)!.bytes);
  return {
    id,
    takenMs: Date.now(),
    tables: tables.map(({ table, count, bytes }) => ({ table, columns: 0, rows: count, bytes: bytes.length })),
    read: async (table) => {
      const all = bytesOf(table);
      // In several pieces, as a spool reads records.
      const half = all.length >>> 1;
      return [all.subarray(0, half), all.subarray(half)];
    },
  };
}

/** A source that holds its segments in memory and remembers what became of each. */
export class MemorySource implements SegmentSource {
  readonly sentIds: string[] = [];
  readonly dead: { id: string; refused: readonly RefusedRows[] }[] = [];
  readonly #waiting: SealedSegment[];
  readonly #changed = new EventEmitter();

  constructor(...segments: readonly SealedSegment[]) {
    this.#waiting = [...segments];
  }

  async next(signal: AbortSignal): Promise<SealedSegment | undefined> {
    while (this.#waiting.length === 0 && !signal.aborted) {
      await once(this.#changed, 'added', { signal }).catch(() => {});
    }
    return signal.aborted ? undefined : this.#waiting.shift();
  }

  async sent(segment: SealedSegment): Promise<void> {
    this.sentIds.push(segment.id);
    this.#changed.emit('settled');
  }

  async deadLetter(segment: SealedSegment, refused: readonly RefusedRows[]): Promise<void> {
    this.dead.push({ id: segment.id, refused });
    this.#changed.emit('settled');
  }

  add(...segments: readonly SealedSegment[]): void {
    this.#waiting.push(...segments);
    this.#changed.emit('added');
  }

  /** Resolves when this many segments were sent or set aside. */
  async settled(count: number): Promise<void> {
    while (this.sentIds.length + this.dead.length < count) await once(this.#changed, 'settled');
  }
}
