// `node bench/connections.ts`: what a connection takes over which nothing is sent, in memory of the collector's servers. The bound on
// connections (docs/operations.md) is made of this.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { connect as connectTls } from 'node:tls';
import express from 'express';
import { loadConfig } from '../collector/src/config/load.ts';
import { Admission } from '../collector/src/receive/admission.ts';
import { startServers } from '../collector/src/receive/servers.ts';
import { createAuthority } from '../collector/src/receive/testing/certificates.ts';
import { TlsFiles } from '../collector/src/receive/tls.ts';

const connections = 500;
/** Opened and closed before, so that what is needed once is there. */
const warmUp = 50;
/** The preface of HTTP/2 and empty settings: https://www.rfc-editor.org/rfc/rfc9113#section-3.4 */
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1');

interface Urls {
  readonly http: string;
  readonly grpc: string;
}

/** The servers, in a process of their own, which says how much memory it has when it is asked. */
async function serve(certificates: string | undefined): Promise<void> {
  const { receive } = loadConfig({
    env: {},
    text: 'receive: { http: { listen: "127.0.0.1:0" }, grpc: { listen: "127.0.0.1:0" } }',
  });
  const files = (folder: string) => ({ cert_file: join(folder, 'crt'), key_file: join(folder, 'key') });
  const { urls } = await startServers(receive, express(), {
    admit: () => undefined,
    admission: new Admission({ bytesMax: 2 ** 26 }),
    consume: async () => ({ status: 'ok', rejected: 0, message: '' }),
    ...(certificates !== undefined && { tls: new TlsFiles(files(certificates)) }),
  });
  process.on('message', () => {
    for (let i = 0; i < 4; i++) globalThis.gc?.();
    process.send?.(process.memoryUsage.rss());
  });
  process.send?.(urls);
}

async function open(url: string, count: number): Promise<Socket[]> {
  const { protocol, port } = new URL(url);
  const isHttp2 = url.endsWith('#grpc');
  const opened: Socket[] = [];
  for (let i = 0; i < count; i++) {
    const to = { host: '127.0.0.1', port: Number(port) };
    const isSecure = protocol === 'https:';
    const socket = isSecure
      ? connectTls({ ...to, rejectUnauthorized: false, ...(isHttp2 && { ALPNProtocols: ['h2'] }) })
      : connect(to);
    await once(socket, isSecure ? 'secureConnect' : 'connect');
    socket.on('error', () => {}).resume();
    if (isHttp2) socket.write(preface);
    opened.push(socket);
  }
  await new Promise((done) => setTimeout(done, 500));
  return opened;
}

/** In a process of its own, as memory of connections that were closed would be taken again. */
async function measure(name: 'HTTP' | 'gRPC', certificates: string | undefined): Promise<void> {
  const args = ['serve', ...(certificates === undefined ? [] : [certificates])];
  const child = fork(import.meta.filename, args, { execArgv: ['--expose-gc'] });
  const [urls] = (await once(child, 'message')) as [Urls];
  const memory = async (): Promise<number> => {
    child.send('memory');
    return ((await once(child, 'message')) as [number])[0];
  };
  const url = name === 'HTTP' ? urls.http : `${urls.grpc}#grpc`;
  for (const socket of await open(url, warmUp)) socket.destroy();
  const before = await memory();
  const sockets = await open(url, connections);
  const each = ((await memory()) - before) / connections / 1024;
  for (const socket of sockets) socket.destroy();
  child.kill();
  const label = `${name}${certificates === undefined ? '' : ' over TLS'}`;
  process.stdout.write(`${label.padEnd(14)} ${each.toFixed(1).padStart(6)} KiB for an idle connection\n`);
}

if (process.argv[2] === 'serve') await serve(process.argv[3]);
else {
  const folder = mkdtempSync(join(tmpdir(), 'spanwarden-connections-'));
  try {
    const { cert, key } = await (await createAuthority('bench')).issue('localhost');
    writeFileSync(join(folder, 'crt'), cert);
    writeFileSync(join(folder, 'key'), key);
    for (const certificates of [undefined, folder]) {
      for (const name of ['HTTP', 'gRPC'] as const) await measure(name, certificates);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}
