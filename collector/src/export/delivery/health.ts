import { limits } from '../../model/limits.ts';
import type { Clock } from './clock.ts';
import type { Trouble } from './lane.ts';

/** The part of a pino logger that delivery uses. */
export interface ExportLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** How a destination stands. */
export type DestinationState = 'ok' | Trouble | 'stopped';

export interface Said {
  /** Milliseconds since the epoch. */
  readonly timeMs: number;
  readonly text: string;
}

/** What the receiver says and whether it takes what it is sent; one log line when that changes, not one for each attempt. */
export class Health {
  readonly #name: string;
  readonly #clock: Clock;
  readonly #logger: ExportLogger | undefined;
  readonly #troubles = new Map<object, Trouble>();
  #refusing = false;
  #rejecting = false;
  #sinceMs: number;
  lastSuccess: Said | undefined;
  lastError: Said | undefined;

  constructor(name: string, clock: Clock, logger: ExportLogger | undefined) {
    this.#name = name;
    this.#clock = clock;
    this.#logger = logger;
    this.#sinceMs = clock.now();
  }

  get state(): 'ok' | Trouble {
    const troubles = [...this.#troubles.values()];
    return troubles.includes('misconfigured') ? 'misconfigured' : (troubles[0] ?? 'ok');
  }

  /** Since when the state is what it is. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  failed(lane: object, trouble: Trouble, reason: string): void {
    const before = this.state;
    this.#troubles.set(lane, trouble);
    this.lastError = this.#said(reason);
    if (this.state === before) return;
    this.#sinceMs = this.#clock.now();
    const fields = { destination: this.#name, reason: this.lastError.text };
    if (this.state === 'misconfigured') {
      const message =
        'export: the destination refuses us, and trying again will not help: check its settings; events wait';
      this.#logger?.error(fields, message);
    } else this.#logger?.warn(fields, 'export: the destination takes nothing; events wait and are sent again');
  }

  recovered(lane: object): void {
    if (!this.#troubles.delete(lane) || this.state !== 'ok') return;
    const seconds = Math.round((this.#clock.now() - this.#sinceMs) / 1000);
    this.#sinceMs = this.#clock.now();
    this.#logger?.info({ destination: this.#name, seconds }, 'export: the destination takes events again');
  }

  delivered(answer: string): void {
    this.lastSuccess = this.#said(answer);
    this.#refusing = false;
    this.#rejecting = false;
  }

  /** The receiver took a request and says that it did not take all that was in it. */
  rejected(answer: string, records: number): void {
    const isNews = !this.#rejecting;
    this.delivered(answer);
    this.lastError = this.#said(answer);
    this.#rejecting = true;
    if (!isNews) return;
    const fields = { destination: this.#name, reason: this.lastError.text, records };
    this.#logger?.warn(fields, 'export: the destination took a request, but not all of it; that is not sent again');
  }

  /** Events became dead letters. */
  refused(reason: string, count: number): void {
    this.lastError = this.#said(reason);
    if (this.#refusing) return;
    this.#refusing = true;
    const fields = { destination: this.#name, reason: this.lastError.text, events: count };
    this.#logger?.warn(fields, 'export: the destination will never take some events; they are noted as dead letters');
  }

  #said(text: string): Said {
    return { timeMs: this.#clock.now(), text: oneLine(text) };
  }
}

/** What somebody else wrote, bounded and on one line. */
export function oneLine(text: string): string {
  return text
    .slice(0, limits.exportReasonCharsMax * 2)
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]+/gu, ' ')
    .slice(0, limits.exportReasonCharsMax)
    .trim();
}
