import type { Server, Socket } from 'node:net';
import { limits } from '../model/limits.ts';

export type Transport = 'http' | 'grpc';

/** What a connection takes while nothing is sent over it, in bytes, rounded up from what `bench/connections.ts` measures. */
const idleBytes: Readonly<Record<Transport, { readonly plain: number; readonly tls: number }>> = {
  http: { plain: 8 * 1024, tls: 56 * 1024 },
  grpc: { plain: 24 * 1024, tls: 72 * 1024 },
};

/** How many connections fit into so many bytes; never more than `limits.connectionsMax`. */
export function connectionsMaxOf(transport: Transport, hasTls: boolean, bytesMax: number): number {
  const each = idleBytes[transport][hasTls ? 'tls' : 'plain'];
  return Math.max(1, Math.min(limits.connectionsMax, Math.floor(bytesMax / each)));
}

/** How long after a refusal an operator is told of it. */
const recentMs = 5 * 60_000;

/** Connections of all servers: how many there are, and how many there was no room for. */
export class Connections {
  readonly refused: Record<Transport, number> = { http: 0, grpc: 0 };
  readonly open: Record<Transport, number> = { http: 0, grpc: 0 };
  readonly #bytesMax: number;
  readonly #clock: () => number;
  #refusedMs = Number.NEGATIVE_INFINITY;

  /** @param bytesMax for the connections of each server */
  constructor(bytesMax: number, clock: () => number = () => performance.now()) {
    this.#bytesMax = bytesMax;
    this.#clock = clock;
  }

  /** Further connections are closed as soon as they are accepted, before a handshake; senders try again. */
  bound(server: Server, transport: Transport, hasTls: boolean): void {
    server.maxConnections = connectionsMaxOf(transport, hasTls, this.#bytesMax);
    server.on('connection', (socket: Socket) => {
      this.open[transport]++;
      socket.once('close', () => this.open[transport]--);
    });
    server.on('drop', () => {
      this.refused[transport]++;
      this.#refusedMs = this.#clock();
    });
  }

  /** What an operator should know about it now. */
  warning(): string | undefined {
    if (this.#clock() - this.#refusedMs > recentMs) return undefined;
    const all = this.refused.http + this.refused.grpc;
    return `${all} connections were refused since the start, some just now; raise limits.memory, or let senders share connections`;
  }
}
