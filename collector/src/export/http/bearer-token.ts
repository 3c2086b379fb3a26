import type { HttpClient, HttpRequest } from './client.ts';
import type { Access } from './destination.ts';
import { type Grant, Renewed } from './renewed.ts';

export interface BearerTokenOptions {
  readonly client: HttpClient;
  /** The request that gives a token, made anew each time. */
  request(): HttpRequest;
  /** Milliseconds since the epoch. */
  now(): number;
}

/**
 * Requests carry an access token of OAuth 2.0.
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-5
 */
export function bearerToken(options: BearerTokenOptions): Access {
  const tokens = new Renewed({ ...options, what: 'access token', read: tokenIn });
  return {
    admit: async (request, signal) => {
      const given = await tokens.get(signal);
      if (given.status === 'failed') return given;
      const headers = { ...request.headers, authorization: `Bearer ${given.value}` };
      return { status: 'ok', request: { ...request, headers }, drop: () => tokens.drop(given.value) };
    },
    isOver: ({ code }) => code === 401,
  };
}

function tokenIn(text: string): Grant<string> | undefined {
  try {
    const { access_token: token, expires_in: seconds } = JSON.parse(text) as Record<string, unknown>;
    if (typeof token !== 'string' || !/^[\x21-\x7e]{1,16384}$/.test(token)) return undefined;
    // Some send the number as a text.
    const lifetimeMs = typeof seconds === 'number' || typeof seconds === 'string' ? Number(seconds) * 1000 : 0;
    return { value: token, lifetimeMs, secrets: { 'access token': token } };
  } catch {
    return undefined;
  }
}
