import type { SendOutcome } from '../contract.ts';
import { classify } from './classify.ts';
import type { HttpAnswer, HttpClient, HttpFailure, HttpRequest } from './client.ts';

/** Without another word of who gives it, it is used so long. */
const lifetimeMs = 300_000;
/** It is renewed this long before its end, or when a tenth of its time is left, if that is later. */
const marginMs = 300_000;

/** What an answer gives. */
export interface Grant<Value> {
  readonly value: Value;
  /** Milliseconds; what is none of a usable length counts as five minutes. */
  readonly lifetimeMs: number;
  /** What is secret of it, by name. */
  readonly secrets: Readonly<Record<string, string>>;
}

export interface RenewedOptions<Value> {
  readonly client: HttpClient;
  /** What it is, for people, such as `access token`. */
  readonly what: string;
  /** The request that gives one, made anew each time; a failure where none can be made. */
  request(signal: AbortSignal): HttpRequest | HttpFailure | Promise<HttpRequest | HttpFailure>;
  /** What an answer of 200 gives; undefined when there is nothing of use in it. */
  read(text: string): Grant<Value> | undefined;
  /** What other answers mean; by their status code unless the protocol tells more. */
  outcome?(answer: HttpAnswer, now: number): SendOutcome;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** Something that opens doors for a time: got when it is first needed, and renewed before it ends. */
export class Renewed<Value> {
  readonly #options: RenewedOptions<Value>;
  #kept: { readonly value: Value; readonly untilMs: number } | undefined;

  constructor(options: RenewedOptions<Value>) {
    this.#options = options;
  }

  async get(signal: AbortSignal): Promise<{ readonly status: 'ok'; readonly value: Value } | HttpFailure> {
    const { client, what, now } = this.#options;
    if (this.#kept && now() < this.#kept.untilMs) return { status: 'ok', value: this.#kept.value };
    const request = await this.#options.request(signal);
    if ('status' in request) return request;
    const answer = await client.send(request, signal);
    if (answer.status === 'failed') return answer;
    if (answer.code !== 200) return this.#refused(answer);
    const grant = this.#options.read(answer.text);
    if (grant === undefined) return misconfigured(answer.show(`${answer.host} answered 200 with no ${what}`));
    for (const [name, secret] of Object.entries(grant.secrets)) client.hide(name, secret);
    const lasts = grant.lifetimeMs > 0 && grant.lifetimeMs < Number.MAX_SAFE_INTEGER ? grant.lifetimeMs : lifetimeMs;
    this.#kept = { value: grant.value, untilMs: now() + lasts - Math.min(marginMs, lasts / 10) };
    return { status: 'ok', value: grant.value };
  }

  /** The receiver did not take it. */
  drop(value: Value): void {
    if (this.#kept?.value === value) this.#kept = undefined;
  }

  /** Whatever is wrong with a request for it, the events are not at fault. */
  #refused(answer: HttpAnswer): HttpFailure {
    const { what, now, outcome: outcomeOf = (of, ms) => classify(of, { now: ms }) } = this.#options;
    const outcome = outcomeOf(answer, now());
    if (outcome.status === 'retryable') return { status: 'failed', outcome };
    const said = outcome.status === 'delivered' ? outcome.answer : outcome.reason;
    return misconfigured(answer.show(`no ${what} from ${answer.host}: ${said}`));
  }
}

/** A failure of the setup, told so. */
export function misconfigured(reason: string): HttpFailure {
  return { status: 'failed', outcome: { status: 'misconfigured', reason } };
}
