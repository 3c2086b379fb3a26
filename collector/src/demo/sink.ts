import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the attacker's server of the demo was sent. */
export interface Delivery {
  /** The address the agent meant to reach. */
  readonly url: string;
  readonly body: string;
}

export interface Sink {
  readonly url: string;
  readonly deliveries: readonly Delivery[];
  close(): Promise<void>;
}

const bodyCharsMax = 1024 * 1024;

/** Plays the attacker's server on loopback: takes every POST and remembers it, so that the demo can show the loss. */
export async function startSink(): Promise<Sink> {
  const deliveries: Delivery[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) {
      if (body.length < bodyCharsMax) body += chunk;
    }
    deliveries.push({ url: decodeURI(String(request.headers['x-demo-url'] ?? '')), body });
    response.writeHead(202).end();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    deliveries,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
