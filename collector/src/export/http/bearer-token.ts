import { classify } from './classify.ts';
import type { HttpAnswer, HttpClient, HttpFailure, HttpRequest } from './client.ts';

/** Without another word of the receiver a token is used so long. */
const lifetimeMs = 300_000;
/** Tokens are renewed this long before their end, or when a tenth of their time is left, if that is later. */
const marginMs = 300_000;

export interface BearerTokenOptions {
  readonly client: HttpClient;
  /** The request that gives a token, made anew each time. */
  request(): HttpRequest;
  /** Milliseconds since the epoch. */
  now(): number;
}

/**
 * An access token of OAuth 2.0, got when it is first needed and renewed before it ends.
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-5
 */
export class BearerToken {
  readonly #options: BearerTokenOptions;
  #kept: { readonly token: string; readonly untilMs: number } | undefined;

  constructor(options: BearerTokenOptions) {
    this.#options = options;
  }

  async get(signal: AbortSignal): Promise<{ readonly status: 'ok'; readonly token: string } | HttpFailure> {
    const { client, request, now } = this.#options;
    if (this.#kept && now() < this.#kept.untilMs) return { status: 'ok', token: this.#kept.token };
    const answer = await client.post(request(), signal);
    if (answer.status === 'failed') return answer;
    if (answer.code !== 200) return refused(answer, now());
    const grant = grantIn(answer.text);
    if (grant === undefined) {
      return misconfigured(answer.show(`${answer.host} answered 200 without an access token`));
    }
    client.hide('access token', grant.token);
    this.#kept = { token: grant.token, untilMs: now() + grant.lifetimeMs - Math.min(marginMs, grant.lifetimeMs / 10) };
    return { status: 'ok', token: grant.token };
  }

  /** The receiver did not take it. */
  drop(token: string): void {
    if (this.#kept?.token === token) this.#kept = undefined;
  }
}

/** Whatever is wrong with a request for a token, the events are not at fault. */
function refused(answer: HttpAnswer, now: number): HttpFailure {
  const outcome = classify(answer, { now });
  if (outcome.status === 'retryable') return { status: 'failed', outcome };
  const said = outcome.status === 'delivered' ? outcome.answer : outcome.reason;
  return misconfigured(answer.show(`no access token from ${answer.host}: ${said}`));
}

function misconfigured(reason: string): HttpFailure {
  return { status: 'failed', outcome: { status: 'misconfigured', reason } };
}

function grantIn(text: string): { token: string; lifetimeMs: number } | undefined {
  try {
    const { access_token: token, expires_in: seconds } = JSON.parse(text) as Record<string, unknown>;
    if (typeof token !== 'string' || !/^[\x21-\x7e]{1,16384}$/.test(token)) return undefined;
    // Some send the number as a text.
    const lifetime = typeof seconds === 'number' || typeof seconds === 'string' ? Number(seconds) * 1000 : 0;
    return { token, lifetimeMs: lifetime > 0 && lifetime < Number.MAX_SAFE_INTEGER ? lifetime : lifetimeMs };
  } catch {
    return undefined;
  }
}
