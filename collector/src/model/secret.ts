const redacted = '[REDACTED]';

/** A text that must not show: it prints as `[REDACTED]` in strings, JSON and `util.inspect`; `reveal` gives it out. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text itself. Call it where it is used, at the last moment, and keep no copy. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return redacted;
  }

  toJSON(): string {
    return redacted;
  }

  /** What node:util's inspect, and with it every logger that formats objects, shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return redacted;
  }
}
