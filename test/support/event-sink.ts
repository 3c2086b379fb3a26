import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An event as `type: webhook` sends it. */
export interface SunkEvent {
  readonly event_id: string;
  readonly kind: 'finding' | 'case';
  readonly activity: string;
  readonly case_id?: string;
  readonly finding?: { readonly id: string; readonly trace_id: string; readonly rule: { readonly id: string } };
  readonly case?: {
    readonly id: string;
    readonly headline: string;
    readonly decision?: {
      readonly action: string;
      readonly disposition: string;
      readonly reason: string;
      readonly by: string;
    };
  };
}

/** Takes what a webhook destination sends, in the order in which it came. */
export class EventSink {
  readonly events: SunkEvent[] = [];
  /** Answers 503 instead of taking anything. */
  isDown = false;
  requests = 0;
  #server: Server | undefined;

  async start(port = 0): Promise<number> {
    const server = createServer((request, response) => {
      void request.toArray().then((chunks) => {
        this.requests++;
        if (this.isDown) response.writeHead(503).end('not now');
        else {
          this.events.push(...(JSON.parse(Buffer.concat(chunks as Buffer[]).toString()) as SunkEvent[]));
          response.writeHead(204).end();
        }
      });
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    this.#server = server;
    return (server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
}
