import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { SpanwardenError } from '../../model/errors.ts';

export interface Ports {
  readonly http: number;
  readonly tcp: number;
}

/**
 * The two ports to listen on. A configured port (not 0) must be free. Otherwise the port of the last start is taken again
 * when it is free, so that a Grafana which was pointed at it keeps working, and any free one when it is not.
 */
export async function choosePorts(wanted: Ports, rememberedIn: string): Promise<Ports> {
  const last = remembered(rememberedIn);
  const http = await choosePort('clickhouse.embedded.http_port', wanted.http, last.http);
  const tcp = await choosePort('clickhouse.embedded.tcp_port', wanted.tcp, last.tcp === http ? 0 : last.tcp);
  return { http, tcp };
}

/** Keeps the ports of a server that runs for its next start. */
export function rememberPorts(ports: Ports, file: string): void {
  writeFileSync(file, `${JSON.stringify(ports)}\n`, { mode: 0o600 });
}

/** Whether somebody listens on one of them. */
export async function isAnyTaken({ http, tcp }: Ports): Promise<boolean> {
  return (await freePort(http)) === undefined || (await freePort(tcp)) === undefined;
}

async function choosePort(key: string, wanted: number, last: number): Promise<number> {
  if (wanted !== 0) {
    if ((await freePort(wanted)) === undefined) throw taken(key, wanted);
    return wanted;
  }
  const port = (last === 0 ? undefined : await freePort(last)) ?? (await freePort(0));
  if (port === undefined) throw taken(key, 0);
  return port;
}

/** The port when it can be bound on loopback; for 0 one that the system chose. */
function freePort(port: number): Promise<number | undefined> {
  return new Promise((done) => {
    const server = createServer();
    server.once('error', () => done(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' && address !== null ? address.port : undefined));
    });
  });
}

function remembered(file: string): Ports {
  try {
    const { http, tcp } = JSON.parse(readFileSync(file, 'utf8')) as Partial<Ports>;
    return { http: validPort(http), tcp: validPort(tcp) };
  } catch {
    return { http: 0, tcp: 0 };
  }
}

function validPort(port: unknown): number {
  return Number.isInteger(port) && (port as number) > 0 && (port as number) < 65_536 ? (port as number) : 0;
}

function taken(key: string, port: number): SpanwardenError {
  return new SpanwardenError({
    code: 'SW_CLICKHOUSE_START',
    message: `the embedded ClickHouse cannot listen on 127.0.0.1:${port}: the port is in use`,
    advice: `Stop what uses the port, or set ${key} to another one (0 takes a free one).`,
  });
}
