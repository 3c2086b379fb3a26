interface Numbered {
  readonly number: number;
  /** Of its event time. */
  readonly second: number;
}

interface Piece<T> {
  readonly members: T[];
  /** Seconds before and behind which none of them lies. */
  first: number;
  last: number;
}

/**
 * Members under one key, in the order of their numbers, in pieces: with many under one key, as where a service numbers its calls anew in
 * each conversation, neither taking one out nor looking at the newest may cost more than with few.
 */
export class Crowd<T extends Numbered> {
  readonly #pieces: Piece<T>[] = [];

  get isEmpty(): boolean {
    return this.#pieces.length === 0;
  }

  /** Its number is above all others. */
  add(member: T): void {
    const { second } = member;
    const last = this.#pieces.at(-1);
    if (last === undefined || last.members.length >= pieceMax) {
      this.#pieces.push({ members: [member], first: second, last: second });
      return;
    }
    last.members.push(member);
    if (second < last.first) last.first = second;
    if (second > last.last) last.last = second;
  }

  delete(member: T): void {
    const place = this.#placeOf(member.number);
    const members = this.#pieces[place]?.members;
    const at = members?.indexOf(member) ?? -1;
    if (members === undefined || at < 0) return;
    if (members.length === 1) this.#pieces.splice(place, 1);
    else members.splice(at, 1);
  }

  /** Of the newest, at most so many, shows those of some seconds, the last first; ends where `visit` says true. */
  someNewest(max: number, from: number, until: number, visit: (member: T) => boolean): boolean {
    let left = max;
    for (let place = this.#pieces.length - 1; place >= 0 && left > 0; place--) {
      const { members, first, last } = this.#pieces[place]!;
      const end = Math.max(0, members.length - left);
      left -= members.length;
      if (last < from || first > until) continue;
      for (let at = members.length - 1; at >= end; at--) {
        const member = members[at]!;
        if (member.second >= from && member.second <= until && visit(member)) return true;
      }
    }
    return false;
  }

  /** The last piece that begins with this number or one below it. */
  #placeOf(number: number): number {
    let [low, high] = [0, this.#pieces.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#pieces[middle]!.members[0]!.number <= number) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

const pieceMax = 64;
