import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { limits } from '../model/limits.ts';
import type { ReceiveConfig } from './config.ts';
import { type Patience, patience, type ReceiveOptions } from './contract.ts';
import { grpcIntake } from './grpc.ts';
import { listen, urlOf } from './listen.ts';

/** The servers of the collector, listening. */
export interface Servers {
  /** `grpc` is undefined when it is off. */
  readonly urls: { readonly http: string; readonly grpc: string | undefined };
  /** Stops accepting, lets requests under way end within the time, then cuts them. */
  close(graceMs: number): Promise<void>;
}

/** Starts HTTP and gRPC, both with TLS or both without; when one cannot listen, none does, and a SpanwardenError says which. */
export async function startServers(
  config: ReceiveConfig,
  http: RequestListener,
  options: ReceiveOptions,
  waits: Patience = patience,
): Promise<Servers> {
  const web = await startHttp(config, http, waits, options);
  if (config.grpc.listen === 'off') return { urls: { http: web.url, grpc: undefined }, close: web.close };
  const grpc = grpcIntake(options, waits);
  try {
    await listen(grpc.connections, config.grpc.listen, 'receive.grpc.listen');
  } catch (error) {
    await Promise.all([web.close(0), grpc.close(0)]);
    throw error;
  }
  return {
    urls: { http: web.url, grpc: urlOf(grpc.connections, options.tls ? 'https' : 'http') },
    close: async (graceMs) => void (await Promise.all([web.close(graceMs), grpc.close(graceMs)])),
  };
}

const idleLookMs = 25;

/** Slow senders lose their connection: https://nodejs.org/api/http.html#serverheaderstimeout */
async function startHttp(config: ReceiveConfig, listener: RequestListener, waits: Patience, options: ReceiveOptions) {
  const { tls, connections } = options;
  const bounds = {
    headersTimeout: waits.headersMs,
    requestTimeout: waits.requestMs,
    keepAliveTimeout: 65_000,
    connectionsCheckingInterval: waits.headersMs / 2,
    maxHeaderSize: limits.headerBytesMax,
  };
  const secured = tls && createSecureServer({ ...bounds, ...tls.options, handshakeTimeout: waits.headersMs }, listener);
  if (secured) tls.onChange((options) => secured.setSecureContext(options));
  const server = secured ?? createServer(bounds, listener);
  server.maxConnections = limits.connectionsMax;
  connections?.bound(server, 'http', tls !== undefined);
  await listen(server, config.http.listen, 'receive.http.listen');
  const close = async (graceMs: number) => {
    const closed = new Promise<void>((done) => server.close(() => done()));
    server.closeIdleConnections();
    // Those that were answering then are idle later.
    const again = setInterval(() => server.closeIdleConnections(), idleLookMs);
    const cut = setTimeout(() => server.closeAllConnections(), graceMs);
    await closed;
    clearInterval(again);
    clearTimeout(cut);
  };
  return { url: urlOf(server, tls ? 'https' : 'http'), close };
}
