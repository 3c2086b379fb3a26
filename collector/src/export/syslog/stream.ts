import { connect as connectTcp, type LookupFunction, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls, type SecureContextOptions } from 'node:tls';
import type { SendOutcome } from '../contract.ts';
import { failureOf } from '../http/failures.ts';
import { shower } from '../http/reason.ts';

export interface StreamOptions {
  readonly host: string;
  readonly port: number;
  /** Undefined for plain TCP. The receiver's certificate is always verified. */
  readonly tls: (SecureContextOptions & { readonly servername?: string }) | undefined;
  readonly lookup: LookupFunction | undefined;
  /** Why nothing may be sent there, if so. */
  readonly denied: Error | undefined;
  readonly timeoutMs: number;
  /** How long a connection has to stand after the last byte was handed over before that counts as delivered. */
  readonly confirmMs: number;
  /** Messages that were handed over so short a time before a connection broke are sent again. */
  readonly resendMs: number;
  readonly resendBytesMax: number;
  now(): number;
}

interface HandedOver {
  readonly bytes: Buffer;
  atMs: number;
}

const reconnectMsMin = 1_000;
const reconnectMsMax = 60_000;

/**
 * One connection to a receiver that confirms nothing. What was handed over to a connection that breaks may have arrived or not: the
 * batch under way is reported as not delivered, and what was handed over shortly before is sent again, first, on the next connection.
 */
export class SyslogStream {
  readonly #options: StreamOptions;
  #socket: Socket | undefined;
  /** Why the connection is none any more; undefined while it stands. */
  #broken: Error | undefined;
  #brokenAtMs = 0;
  #recent: HandedOver[] = [];
  #recentBytes = 0;
  /** One thing at a time happens on the connection. */
  #turn: Promise<unknown> = Promise.resolve();
  #reconnect: NodeJS.Timeout | undefined;
  #isClosed = false;
  /** Bytes that went over the wire once more, because they may not have arrived before. */
  resentBytes = 0;

  constructor(options: StreamOptions) {
    this.#options = options;
  }

  /** Hands over bytes that end with a whole message. */
  send(bytes: Buffer, signal: AbortSignal): Promise<SendOutcome> {
    const outcome = this.#turn.then(() => this.#send(bytes, signal));
    this.#turn = outcome;
    return outcome;
  }

  async #send(bytes: Buffer, signal: AbortSignal): Promise<SendOutcome> {
    const { timeoutMs, confirmMs } = this.#options;
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    try {
      const socket = await this.#connection(deadline);
      await this.#write(socket, bytes, deadline);
      await sleep(confirmMs, undefined, { signal: deadline });
      if (this.#broken) throw this.#broken;
      this.#remember(bytes);
      return { status: 'delivered', answer: 'handed over; syslog receivers confirm nothing' };
    } catch (error) {
      this.#drop();
      return this.#outcomeOf(error, signal);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#reconnect);
    await this.#turn;
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket === undefined || socket.destroyed) return;
    await new Promise<void>((done) => {
      socket.once('close', () => done());
      socket.end();
      setTimeout(() => socket.destroy(), 500).unref();
    });
  }

  async #connection(signal: AbortSignal): Promise<Socket> {
    if (this.#socket !== undefined && this.#broken === undefined) return this.#socket;
    this.#drop();
    const socket = await this.#connect(signal);
    this.#socket = socket;
    for (const each of this.#doubtful()) {
      await this.#write(socket, each.bytes, signal);
      each.atMs = this.#options.now();
      this.resentBytes += each.bytes.length;
    }
    return socket;
  }

  /** What was handed over so shortly before the connection broke that it may not have arrived. */
  #doubtful(): HandedOver[] {
    const since = this.#brokenAtMs - this.#options.resendMs;
    return this.#brokenAtMs === 0 ? [] : this.#recent.filter(({ atMs }) => atMs >= since);
  }

  /** Without a next batch what is doubtful would stay so. */
  #reconnectSoon(delayMs = reconnectMsMin): void {
    if (this.#isClosed || this.#doubtful().length === 0) return;
    clearTimeout(this.#reconnect);
    this.#reconnect = setTimeout(() => {
      this.#turn = this.#turn.then(async () => {
        const connected = await this.#connection(AbortSignal.timeout(this.#options.timeoutMs)).catch(() => undefined);
        if (connected === undefined) this.#reconnectSoon(Math.min(2 * delayMs, reconnectMsMax));
      });
    }, delayMs).unref();
  }

  #connect(signal: AbortSignal): Promise<Socket> {
    const { host, port, tls, lookup, denied } = this.#options;
    if (denied) return Promise.reject(denied);
    const where = { host, port, ...(lookup && { lookup }) };
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const socket = tls ? connectTls({ ...where, ...tls, rejectUnauthorized: true }) : connectTcp(where);
      this.#broken = undefined;
      const broke = (error: Error): void => {
        reject(error);
        if (this.#socket !== socket || this.#broken !== undefined) return;
        this.#broken = error;
        this.#brokenAtMs = this.#options.now();
        this.#reconnectSoon();
      };
      const aborted = (): void => void socket.destroy(signal.reason as Error);
      signal.addEventListener('abort', aborted, { once: true });
      socket.once(tls ? 'secureConnect' : 'connect', () => {
        signal.removeEventListener('abort', aborted);
        resolve(socket);
      });
      socket.setNoDelay(true).setKeepAlive(true, 30_000);
      // Receivers say nothing; whatever they do say is read, so that their end is seen.
      socket.resume();
      socket.on('error', broke);
      socket.on('end', () => broke(new Error('the receiver closed the connection')));
      socket.on('close', () => {
        signal.removeEventListener('abort', aborted);
        broke(new Error('the connection was closed'));
      });
    });
  }

  #write(socket: Socket, bytes: Buffer, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const aborted = (): void => reject(signal.reason);
      signal.addEventListener('abort', aborted, { once: true });
      socket.write(bytes, (error) => {
        signal.removeEventListener('abort', aborted);
        if (error) reject(this.#broken ?? error);
        else resolve();
      });
    });
  }

  #remember(bytes: Buffer): void {
    const { now, resendMs, resendBytesMax } = this.#options;
    this.#recent.push({ bytes, atMs: now() });
    this.#recentBytes += bytes.length;
    const since = now() - resendMs;
    while (this.#recent.length > 0 && (this.#recentBytes > resendBytesMax || this.#recent[0]!.atMs < since)) {
      this.#recentBytes -= this.#recent.shift()!.bytes.length;
    }
  }

  #drop(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #outcomeOf(error: unknown, signal: AbortSignal): SendOutcome {
    if (signal.aborted) return { status: 'retryable', reason: 'the collector is stopping' };
    const { host, port, timeoutMs } = this.#options;
    if ((error as Error).name === 'TimeoutError') {
      return { status: 'retryable', reason: `${host}:${port} took nothing for timeout_ms (${timeoutMs} ms)` };
    }
    return failureOf(error as Error, `${host}:${port}`, show);
  }
}

const show = shower([]);
