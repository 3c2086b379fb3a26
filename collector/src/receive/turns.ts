/** How long one may still wait for all its turns, in milliseconds. */
export interface Patience {
  leftMs: number;
}

/** One at a time, in the order in which they came; whoever's turn does not come in time goes without. */
export class Turns {
  readonly #clock: () => number;
  readonly #waiting: (() => boolean)[] = [];
  #isTaken = false;

  /** @param clock milliseconds that only go forward */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /**
   * True when it is its turn, which it then has to give back with `free`; false, without a turn, as soon as it has waited for as
   * long as it may.
   */
  take(patience: Patience): Promise<boolean> {
    if (!this.#isTaken) {
      this.#isTaken = true;
      return Promise.resolve(true);
    }
    const from = this.#clock();
    return new Promise((done) => {
      const begin = () => {
        clearTimeout(timer);
        patience.leftMs -= this.#clock() - from;
        // The event loop may have been busy when the timer was due.
        const isInTime = patience.leftMs >= 0;
        done(isInTime);
        return isInTime;
      };
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(begin), 1);
        patience.leftMs = 0;
        done(false);
      }, patience.leftMs).unref();
      this.#waiting.push(begin);
    });
  }

  free(): void {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) if (next()) return;
    this.#isTaken = false;
  }
}

const roundsMax = 16;

/** Lets the event loop come round some times, but no longer than so many milliseconds: bodies arrive a piece at a time. */
export function comeRound(msMax: number, clock: () => number, then: () => void): void {
  const from = clock();
  let rounds = 0;
  const round = () => {
    rounds++;
    // What was asked for in the round that is running comes before the second one.
    if (rounds >= roundsMax || (rounds > 1 && clock() - from >= msMax)) then();
    else setImmediate(round);
  };
  setImmediate(round);
}
