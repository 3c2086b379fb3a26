/** Members by a second of event time, so that those whose time has come are found without looking at the others. */
export class BySecond<T> {
  readonly #seconds = new Map<number, Set<T>>();

  add(nanos: bigint, member: T): void {
    const second = secondOf(nanos);
    const members = this.#seconds.get(second);
    if (members) members.add(member);
    else this.#seconds.set(second, new Set([member]));
  }

  delete(nanos: bigint, member: T): void {
    const second = secondOf(nanos);
    const members = this.#seconds.get(second);
    if (members?.delete(member) && members.size === 0) this.#seconds.delete(second);
  }

  /** Those of all seconds up to this one, and so some that are up to a second later. */
  through(nanos: bigint): T[] {
    const last = secondOf(nanos);
    const found: T[] = [];
    for (const [second, members] of this.#seconds) if (second <= last) found.push(...members);
    return found;
  }

  clear(): void {
    this.#seconds.clear();
  }
}

/** The second in which a time lies. */
export function secondOf(nanos: bigint): number {
  return Math.floor(Number(nanos) / 1e9);
}
