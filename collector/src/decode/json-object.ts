import { MalformedError } from './wire.ts';

/** An object inside an OTLP/JSON body with typed access; errors name the path to the wrong value. */
export class JsonObject {
  readonly #members: Readonly<Record<string, unknown>>;
  readonly #path: string;

  private constructor(members: object, path: string) {
    this.#members = members as Readonly<Record<string, unknown>>;
    this.#path = path;
  }

  static root(value: unknown): JsonObject {
    if (!isObject(value)) throw new MalformedError('SW_OTLP_JSON', 'body must be a JSON object with resourceSpans');
    return new JsonObject(value, '');
  }

  object(key: string): JsonObject | undefined {
    const value = this.#get(key);
    if (value === undefined) return undefined;
    if (!isObject(value)) this.fail(key, 'must be an object');
    return new JsonObject(value, this.#join(key));
  }

  objects(key: string): JsonObject[] {
    return this.#list(key).map((member, i) => {
      if (!isObject(member)) this.fail(`${key}[${i}]`, 'must be an object');
      return new JsonObject(member, `${this.#join(key)}[${i}]`);
    });
  }

  text(key: string): string | undefined {
    const value = this.#get(key);
    if (value !== undefined && typeof value !== 'string') this.fail(key, 'must be a string');
    return value;
  }

  boolean(key: string): boolean | undefined {
    const value = this.#get(key);
    if (value !== undefined && typeof value !== 'boolean') this.fail(key, 'must be true or false');
    return value;
  }

  /** A 64-bit integer, written as a number or as a decimal string. */
  integer(key: string): bigint | undefined {
    const value = this.#get(key);
    return value === undefined ? undefined : this.#integer(key, value);
  }

  integers(key: string): bigint[] {
    return this.#list(key).map((value, i) => this.#integer(`${key}[${i}]`, value));
  }

  double(key: string): number | undefined {
    const value = this.#get(key);
    return value === undefined ? undefined : this.#double(key, value);
  }

  doubles(key: string): number[] {
    return this.#list(key).map((value, i) => this.#double(`${key}[${i}]`, value));
  }

  #list(key: string): unknown[] {
    const value = this.#get(key) ?? [];
    if (!Array.isArray(value)) this.fail(key, 'must be an array');
    return value;
  }

  #integer(key: string, value: unknown): bigint {
    const text = typeof value === 'number' && Number.isInteger(value) ? String(BigInt(value)) : value;
    if (typeof text !== 'string' || !/^-?\d{1,20}$/.test(text))
      this.fail(key, 'must be an integer or a decimal string');
    return BigInt(text);
  }

  #double(key: string, value: unknown): number {
    if (typeof value === 'number') return value;
    if (typeof value !== 'string' || !doubleText.test(value)) this.fail(key, 'must be a number');
    return Number(value);
  }

  fail(key: string, problem: string): never {
    throw new MalformedError('SW_OTLP_JSON', `${this.#join(key)} ${problem}`);
  }

  /** lowerCamelCase as the specification asks, else snake_case; null counts as absent. */
  #get(key: string): unknown {
    const value = own(this.#members, key) ?? own(this.#members, snakeCase(key));
    return value ?? undefined;
  }

  #join(key: string): string {
    return this.#path === '' ? key : `${this.#path}.${key}`;
  }
}

const doubleText = /^(NaN|-?Infinity|-?\d{1,400}(\.\d{1,400})?([eE][+-]?\d{1,4})?)$/;
const snakeCases = new Map<string, string>();

function snakeCase(key: string): string {
  let snake = snakeCases.get(key);
  if (snake === undefined) {
    snake = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    snakeCases.set(key, snake);
  }
  return snake;
}

function own(members: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(members, key) ? members[key] : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
