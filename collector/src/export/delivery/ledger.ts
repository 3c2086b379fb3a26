/** A record whose events are not all settled, or that stands behind such a one. */
export interface LedgerRecord {
  readonly position: number;
  /** When the collector took it in, milliseconds since the epoch. */
  readonly takenMs: number;
  /** Its events that are not settled. */
  open: number;
  /** Ids of those that are. */
  readonly settled: string[];
}

/**
 * Which events of the stream are settled. Lanes settle them in any order; the position moves up to the first record of which one is
 * not.
 */
export class Ledger {
  readonly #records: LedgerRecord[] = [];
  #passed: number;
  #through: number;
  #events = 0;

  constructor(position: number) {
    this.#passed = position;
    this.#through = position;
  }

  /** All records up to here are settled. */
  get position(): number {
    const [first] = this.#records;
    return first === undefined ? Math.max(this.#passed, this.#through) : first.position - 1;
  }

  /** All records up to here were taken in. */
  get through(): number {
    return this.#through;
  }

  /** Events of records behind `position`, settled or not. */
  get events(): number {
    return this.#events;
  }

  /** The record that holds the position up. */
  get first(): LedgerRecord | undefined {
    return this.#records[0];
  }

  /** Ids of what is settled in records behind `position`. */
  get ahead(): string[] {
    return this.#records.flatMap(({ settled }) => settled);
  }

  /** Takes in a record with so many events that are to be delivered. Its position is passed when they are settled. */
  enter(position: number, events: number, takenMs: number): LedgerRecord {
    const record = { position, takenMs, open: events, settled: [] };
    if (events > 0) this.#records.push(record);
    this.#events += events;
    return record;
  }

  /** Says that everything up to a position was taken in. */
  pass(through: number): void {
    this.#through = Math.max(this.#through, through);
  }

  settle(record: LedgerRecord, id: string): void {
    record.open--;
    record.settled.push(id);
    while (this.#records[0]?.open === 0) {
      const done = this.#records.shift()!;
      this.#passed = done.position;
      this.#events -= done.settled.length;
    }
  }
}
