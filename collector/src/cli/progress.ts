/** A line on a terminal that says how far something is; silent where no terminal is. `nowMs` is a monotonic clock. */
export interface Progress {
  advance(done: number, nowMs: number): void;
  /** Takes the line away. */
  end(): void;
}

const intervalMs = 200;

export function createProgress(
  total: number,
  stream: { write(text: string): unknown; readonly isTTY?: boolean },
  startedMs: number,
  noun = 'spans',
): Progress {
  let shownMs = Number.NEGATIVE_INFINITY;
  const silent = stream.isTTY !== true;
  return {
    advance: (done, nowMs) => {
      if (silent || nowMs - shownMs < intervalMs) return;
      shownMs = nowMs;
      stream.write(`\r\u001b[K${progressText(done, total, nowMs - startedMs, noun)}`);
    },
    end: () => {
      if (!silent) stream.write('\r\u001b[K');
    },
  };
}

/** `12,000 of 30,000 spans  40 %  6,000 spans/s  3 s left`. */
export function progressText(done: number, total: number, passedMs: number, noun = 'spans'): string {
  const perSecond = passedMs > 0 ? (done * 1000) / passedMs : 0;
  const left = perSecond > 0 ? Math.ceil(Math.max(0, total - done) / perSecond) : undefined;
  const number = (value: number): string => Math.round(value).toLocaleString('en');
  const percent = total === 0 ? 100 : Math.min(100, Math.floor((done * 100) / total));
  const eta = left === undefined ? '' : `  ${left >= 120 ? `${Math.round(left / 60)} min` : `${left} s`} left`;
  return `${number(done)} of ${number(total)} ${noun}  ${percent} %  ${number(perSecond)} ${noun}/s${eta}`;
}
