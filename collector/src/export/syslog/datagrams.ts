import { createSocket, type Socket } from 'node:dgram';
import { lookup as lookupName } from 'node:dns';
import { isIPv6, type LookupFunction } from 'node:net';
import type { EncodedEvent, SendOutcome } from '../contract.ts';
import { failureOf } from '../http/failures.ts';
import { shower } from '../http/reason.ts';

export interface DatagramOptions {
  readonly host: string;
  readonly port: number;
  readonly lookup: LookupFunction | undefined;
  /** Why nothing may be sent there, if so. */
  readonly denied: Error | undefined;
  /** How long after the last datagram the network may say that nobody listens. */
  readonly confirmMs: number;
}

/** Datagrams to one receiver: RFC 5426, one message each. What is lost on the way nobody learns of. */
export class SyslogDatagrams {
  readonly #options: DatagramOptions;
  #socket: Socket | undefined;
  #failed: Error | undefined;

  constructor(options: DatagramOptions) {
    this.#options = options;
  }

  async send(batch: readonly EncodedEvent[], signal: AbortSignal): Promise<SendOutcome> {
    try {
      this.#failed = undefined;
      this.#socket ??= await this.#connect();
      const socket = this.#socket;
      for (const { body } of batch) {
        if (signal.aborted) return { status: 'retryable', reason: 'the collector is stopping' };
        await new Promise<void>((resolve, reject) => {
          socket.send(body, (error) => (error ? reject(error) : resolve()));
        });
      }
      await new Promise((done) => setTimeout(done, this.#options.confirmMs));
      if (this.#failed) throw this.#failed;
      return { status: 'delivered', answer: 'sent as datagrams, which nobody confirms' };
    } catch (error) {
      await this.close();
      const { host, port } = this.#options;
      const outcome = failureOf(error as Error, `${host}:${port}`, show);
      return (error as NodeJS.ErrnoException).code === 'EMSGSIZE' ? { ...outcome, status: 'too_large' } : outcome;
    }
  }

  async close(): Promise<void> {
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket) await new Promise<void>((done) => socket.close(() => done()));
  }

  /** Connected, so that the network's answer that nobody listens comes back as an error. */
  async #connect(): Promise<Socket> {
    const { host, port, denied, lookup = lookupName as LookupFunction } = this.#options;
    if (denied) throw denied;
    const address = await new Promise<string>((resolve, reject) => {
      lookup(host, { family: 0 }, (error, found) => (error ? reject(error) : resolve(String(found))));
    });
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    socket.on('error', (error) => {
      this.#failed ??= error;
    });
    return new Promise((resolve, reject) => {
      socket.connect(port, address, (error?: Error) => {
        if (error === undefined) resolve(socket.unref());
        else socket.close(() => reject(error));
      });
    });
  }
}

const show = shower([]);
