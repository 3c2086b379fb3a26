import type { AddressInfo, Server } from 'node:net';
import { SpanwardenError } from '../model/errors.ts';
import { parseListen } from './config.ts';

/** Listens at `host:port`; throws a SpanwardenError that names the config key. */
export async function listen(server: Server, address: string, key: string): Promise<void> {
  const { host, port } = parseListen(address);
  await new Promise<void>((done, failed) => {
    server.once('error', failed);
    server.listen(port, host, () => {
      server.off('error', failed);
      done();
    });
  }).catch((error: NodeJS.ErrnoException) => {
    throw new SpanwardenError({
      code: 'SW_LISTEN',
      message: `cannot listen on ${address}: ${error.message}`,
      advice: `Stop what uses the port, or set ${key} to another one.`,
    });
  });
}

/** @param scheme http or https */
export function urlOf(server: Server, scheme: string): string {
  const { address, port, family } = server.address() as AddressInfo;
  const host = address === '0.0.0.0' || address === '::' ? 'localhost' : address;
  return `${scheme}://${family === 'IPv6' && host !== 'localhost' ? `[${host}]` : host}:${port}`;
}
