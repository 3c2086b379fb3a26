/**
 * Members under one key, in the order of their numbers, in pieces: with many under one key, as where a service numbers its calls anew in
 * each conversation, neither taking one out nor looking at the newest may cost more than with few.
 */
export class Crowd<T extends { readonly number: number }> {
  readonly #pieces: T[][] = [];

  get isEmpty(): boolean {
    return this.#pieces.length === 0;
  }

  /** Its number is above all others. */
  add(member: T): void {
    const last = this.#pieces.at(-1);
    if (last === undefined || last.length >= pieceMax) this.#pieces.push([member]);
    else last.push(member);
  }

  delete(member: T): void {
    const place = this.#placeOf(member.number);
    const piece = this.#pieces[place];
    const at = piece?.indexOf(member) ?? -1;
    if (piece === undefined || at < 0) return;
    if (piece.length === 1) this.#pieces.splice(place, 1);
    else piece.splice(at, 1);
  }

  /** Shows the newest, the last first, at most so many; ends where `visit` says true. */
  someNewest(max: number, visit: (member: T) => boolean): boolean {
    let left = max;
    for (let place = this.#pieces.length - 1; place >= 0; place--) {
      const piece = this.#pieces[place]!;
      for (let at = piece.length - 1; at >= 0; at--) {
        if (left-- <= 0) return false;
        if (visit(piece[at]!)) return true;
      }
    }
    return false;
  }

  /** The last piece that begins with this number or one below it. */
  #placeOf(number: number): number {
    let [low, high] = [0, this.#pieces.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#pieces[middle]![0]!.number <= number) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

const pieceMax = 64;
