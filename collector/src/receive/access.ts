import { hash as digestOf, randomBytes, timingSafeEqual } from 'node:crypto';
import { statSync } from 'node:fs';
import type { Logger } from 'pino';
import { type Problem, SpanwardenError } from '../model/errors.ts';
import { type Failure, unauthenticated } from './contract.ts';
import { type RateLimit, rateLimit } from './rate-limit.ts';
import { hashOfToken, readTokenFile, type StoredToken } from './token-file.ts';
import { watchFiles } from './watched-files.ts';

export interface AccessOptions {
  /** The one of the config: never expires, has no limit, and may have rules read again. */
  readonly bearerToken: string | undefined;
  /** A file of further tokens; `required` ones must be there. */
  readonly file?: { readonly path: string; readonly required: boolean };
  /** Senders were asked for a certificate before: they are not anybody. */
  readonly hasCertificates?: boolean;
  readonly logger?: Logger;
  /** Unix time in milliseconds. */
  readonly now?: () => number;
  /** Milliseconds that only go forward. */
  readonly clock?: () => number;
}

/** What became of requests that gave this token: `missing` and `unknown` only where no token is known. */
export type AdmitOutcome = 'accepted' | 'limited' | 'expired' | 'missing' | 'unknown';

export interface TokenCount {
  /** Empty for requests without a token that is known. */
  readonly token: string;
  readonly tenant: string;
  readonly counts: Readonly<Partial<Record<AdmitOutcome, number>>>;
}

interface Known {
  readonly token: string;
  readonly tenant: string;
  readonly hash: Buffer;
  readonly requestsPerSecond: number | undefined;
  readonly limit: RateLimit | undefined;
  readonly expiresMs: number;
  readonly counts: Partial<Record<AdmitOutcome, number>>;
  saidMs: number;
}

/** Refusals of one token are told once in this time. */
const quietMs = 60_000;
const configTokenName = 'bearer_token';

/**
 * Who may send. Everybody where neither a token of the config nor a token file is there; an empty file lets nobody in. A file
 * that cannot be read leaves the tokens that were known.
 */
export class Access {
  readonly #options: AccessOptions;
  readonly #now: () => number;
  readonly #clock: () => number;
  readonly #config: Known | undefined;
  readonly #strangers: Known;
  /**
   * Digests under a key that only this process has find the token: nobody outside can choose or guess them, so that the time
   * of the search tells nothing. What decides is a comparison in constant time.
   */
  readonly #key = randomBytes(32);
  #known = new Map<string, Known>();
  #isOpen = true;
  #problem: Problem | undefined;
  #watch: { close(): void } | undefined;

  /** Throws a SpanwardenError when the file is damaged, or is not there and has to be. */
  constructor(options: AccessOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#clock = options.clock ?? (() => performance.now());
    this.#strangers = known({ token: '', tenant: '', hash: Buffer.alloc(32) });
    if (options.bearerToken !== undefined) {
      this.#config = known({ token: configTokenName, tenant: '', hash: hashOfToken(options.bearerToken) });
    }
    const { file } = options;
    if (file === undefined) {
      this.#use(undefined);
      return;
    }
    this.#watch = watchFiles([file.path], () => this.reload());
    try {
      this.#use(this.#read(file));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Undefined when a request with this `Authorization` may come in, else the answer. */
  admit(authorization: string | undefined): Failure | undefined {
    if (this.#isOpen) return undefined;
    const given = bearerOf(authorization);
    const entry = given === undefined ? undefined : this.#find(given);
    if (entry === undefined) return this.#refuse(this.#strangers, given === undefined ? 'missing' : 'unknown');
    if (entry.expiresMs <= this.#now()) return this.#refuse(entry, 'expired');
    const waitMs = entry.limit?.() ?? 0;
    if (waitMs > 0) return this.#refuse(entry, 'limited', waitMs);
    count(entry, 'accepted');
    return undefined;
  }

  /** Whether this `Authorization` may have files read again: that of the config, since senders may be taken over. */
  mayManage(authorization: string | undefined): boolean {
    if (this.#config === undefined) return this.#isOpen && this.#options.hasCertificates !== true;
    const given = bearerOf(authorization);
    return given !== undefined && timingSafeEqual(hashOfToken(given), this.#config.hash);
  }

  /** Reads the file again; with anything wrong in it the old tokens go on, and the problem is given. */
  reload(): readonly Problem[] {
    const { file, logger } = this.#options;
    if (file === undefined) return [];
    try {
      // A file that was there once and is gone is no reason to let everybody in.
      this.#use(this.#read({ ...file, required: file.required || !this.#isFileless }));
      logger?.info({ file: file.path, tokens: this.#known.size }, 'tokens read');
      this.#problem = undefined;
      return [];
    } catch (error) {
      if (!(error instanceof SpanwardenError)) throw error;
      [this.#problem] = error.problems;
      logger?.error({ file: file.path, reason: this.#problem!.message }, 'tokens cannot be read; the old ones go on');
      return error.problems;
    }
  }

  /** Why the newest file was not taken. */
  get problem(): Problem | undefined {
    return this.#problem;
  }

  /** Requests since the start, by token. */
  counts(): readonly TokenCount[] {
    return this.#isOpen ? [] : [this.#strangers, ...this.#known.values()];
  }

  close(): void {
    this.#watch?.close();
  }

  #isFileless = true;

  #read({ path, required }: { readonly path: string; readonly required: boolean }) {
    const tokens = readTokenFile(path);
    if (tokens === undefined && required) {
      throw new SpanwardenError({
        code: 'SW_TOKEN_FILE',
        message: `the token file ${path} is not there`,
        advice: 'Make a token with spanwarden token create, or take receive.tokens_file out of the config.',
      });
    }
    const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
    if ((mode & 0o022) !== 0) {
      this.#options.logger?.warn({ file: path }, 'other users of this machine may change the token file');
    }
    return tokens;
  }

  /** Tokens that stay keep their counts, and what is left of their limit. */
  #use(tokens: readonly StoredToken[] | undefined): void {
    const next = new Map<string, Known>();
    for (const stored of tokens ?? []) {
      const hash = Buffer.from(stored.sha256, 'hex');
      next.set(this.#digest(hash), this.#kept(stored, hash, this.#known.get(this.#digest(hash))));
    }
    if (this.#config !== undefined) next.set(this.#digest(this.#config.hash), this.#config);
    this.#known = next;
    this.#isFileless = tokens === undefined;
    this.#isOpen = this.#isFileless && this.#config === undefined;
  }

  #kept(stored: StoredToken, hash: Buffer, before: Known | undefined): Known {
    const { name: token, tenant = '', requests_per_second: requestsPerSecond } = stored;
    const sameLimit = before !== undefined && before.requestsPerSecond === requestsPerSecond;
    const limit = requestsPerSecond === undefined ? undefined : rateLimit(requestsPerSecond, this.#clock);
    const same = before?.token === token && before.tenant === tenant;
    return known({
      ...{ token, tenant, hash, requestsPerSecond },
      ...(stored.expires !== undefined && { expiresMs: Date.parse(stored.expires) }),
      ...(same && { counts: before.counts, saidMs: before.saidMs }),
      limit: sameLimit ? before.limit : limit,
    });
  }

  #find(given: string): Known | undefined {
    const hash = hashOfToken(given);
    const entry = this.#known.get(this.#digest(hash));
    return entry !== undefined && timingSafeEqual(entry.hash, hash) ? entry : undefined;
  }

  #digest(hash: Buffer): string {
    return digestOf('sha256', Buffer.concat([this.#key, hash]), 'base64');
  }

  #refuse(entry: Known, outcome: AdmitOutcome, waitMs = 0): Failure {
    count(entry, outcome);
    const now = this.#clock();
    if (now - entry.saidMs >= quietMs) {
      entry.saidMs = now;
      const { token, tenant, counts } = entry;
      this.#options.logger?.warn({ token, tenant, outcome, counts }, 'requests are refused');
    }
    if (outcome !== 'limited') return unauthenticated(outcome === 'expired' ? 'the token has expired' : undefined);
    const message = `the token ${entry.token} may send ${entry.requestsPerSecond} requests a second; try again`;
    return { status: 'retryable', code: 'SW_RECEIVE_RATE', message, retryAfterMs: waitMs };
  }
}

function known(given: Partial<Known> & Pick<Known, 'token' | 'tenant' | 'hash'>): Known {
  const none = { requestsPerSecond: undefined, limit: undefined, expiresMs: Number.POSITIVE_INFINITY };
  return { ...none, counts: {}, saidMs: Number.NEGATIVE_INFINITY, ...given };
}

function count({ counts }: Known, outcome: AdmitOutcome): void {
  counts[outcome] = (counts[outcome] ?? 0) + 1;
}

function bearerOf(authorization: string | undefined): string | undefined {
  return /^Bearer (.{1,4096})$/i.exec(authorization ?? '')?.[1];
}
