import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Passes bytes between two loopback ports, until it is told to misbehave. */
export class FlakyProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #target = 0;
  #isClosedToNew = false;
  #isStalled = false;
  /** Bytes of the request whose answer will be lost. */
  #requestBytes = Number.POSITIVE_INFINITY;
  /** Answers that were lost since the beginning. */
  lost = 0;

  private constructor() {
    this.#server = createServer({ pauseOnConnect: true }, (client) => this.#accept(client));
  }

  static async open(): Promise<FlakyProxy> {
    const proxy = new FlakyProxy();
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Where connections from now on lead to. */
  pointTo(port: number): void {
    this.#target = port;
  }

  /** Resets every connection, wherever in a request or an answer it is. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** New connections are reset at once until `heal`. */
  refuse(): void {
    this.#isClosedToNew = true;
    this.cut();
  }

  /** Nothing is passed on any more, in either direction, until `heal`; connections stay. */
  stall(): void {
    this.#isStalled = true;
    for (const socket of this.#sockets) socket.pause();
  }

  /** Loses the answer to the next request of at least so many bytes, and its connection: the receiver has worked on it all the same. */
  loseAnswerTo(requestBytes: number): void {
    this.#requestBytes = requestBytes;
  }

  heal(): void {
    this.#isClosedToNew = false;
    this.#isStalled = false;
    for (const socket of this.#sockets) socket.resume();
  }

  async close(): Promise<void> {
    this.#server.close();
    this.cut();
    await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    if (this.#isClosedToNew) {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect(this.#target, '127.0.0.1');
    this.#join(client, upstream);
    this.#join(upstream, client);
    client.on('data', (bytes) => {
      if (bytes.length < this.#requestBytes) return;
      this.#requestBytes = Number.POSITIVE_INFINITY;
      upstream.removeAllListeners('data').once('data', () => {
        this.lost += 1;
        client.resetAndDestroy();
      });
    });
    if (!this.#isStalled) client.resume();
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.on('data', (bytes) => void to.write(bytes));
    from.on('end', () => to.end());
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}
