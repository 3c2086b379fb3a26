import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedServer, startEmbedded } from '../../collector/src/store/embedded/start.ts';
import { clickhouseOf, type TestClickhouse } from '../support/clickhouse.ts';
import { CollectorProcess } from '../support/collector-process.ts';
import { FlakyProxy } from './flaky-proxy.ts';
import { mountSmallDisk, type SmallDisk } from './small-disk.ts';

const diskMebibytes = 192;

/** A collector and a ClickHouse as processes of their own, with a proxy before each, and a small disk under the collector. */
export interface World {
  /** What senders talk to. */
  readonly url: string;
  readonly incoming: FlakyProxy;
  readonly outgoing: FlakyProxy;
  /** Undefined where this process may not mount one. */
  readonly disk: SmallDisk | undefined;
  readonly collector: CollectorProcess;
  /** What collectors wrote, the first one's first. */
  readonly log: string;
  readonly clickhouse: EmbeddedServer;
  /** Questions to it, also after it was started again. */
  readonly stored: TestClickhouse;
  restartCollector(): Promise<void>;
  restartClickhouse(): Promise<void>;
  close(): Promise<void>;
}

export async function openWorld(): Promise<World> {
  const directory = mkdtempSync(join(tmpdir(), 'spanwarden-chaos-'));
  const disk = mountSmallDisk(join(directory, 'disk'), diskMebibytes);
  const server = { dataDir: join(directory, 'clickhouse') };
  let clickhouse = await startEmbedded(server);
  const stored = clickhouseOf(server.dataDir);
  const httpPort = Number(new URL(clickhouse.url).port);
  const incoming = await FlakyProxy.open();
  const outgoing = await FlakyProxy.open();
  outgoing.pointTo(httpPort);
  const configFile = join(directory, 'spanwarden.yaml');
  const dataDir = join(disk?.directory ?? directory, 'data');
  writeFileSync(configFile, configOf({ dataDir, port: outgoing.port, password: clickhouse.password }), { mode: 0o600 });
  const home = { directory, dataDir, configFile, remove: () => undefined };
  const started: CollectorProcess[] = [];
  const start = async (): Promise<CollectorProcess> => {
    const collector = await CollectorProcess.start(home);
    started.push(collector);
    incoming.pointTo(Number(new URL(collector.url).port));
    return collector;
  };
  let collector = await start();
  return {
    url: `http://127.0.0.1:${incoming.port}`,
    incoming,
    outgoing,
    disk,
    get collector() {
      return collector;
    },
    get log() {
      return started.map(({ log }) => log).join('');
    },
    get clickhouse() {
      return clickhouse;
    },
    stored,
    restartCollector: async () => {
      await collector.end('SIGKILL');
      collector = await start();
    },
    restartClickhouse: async () => {
      process.kill(clickhouse.pid, 'SIGKILL');
      await clickhouse.exited;
      clickhouse = await startEmbedded({ ...server, httpPort });
    },
    close: async () => {
      await collector.end('SIGKILL');
      await stored.close();
      await clickhouse.stop();
      await Promise.all([incoming.close(), outgoing.close()]);
      disk?.remove();
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function configOf({ dataDir, port, password }: { dataDir: string; port: number; password: string }): string {
  return `data_dir: ${JSON.stringify(dataDir)}
log: { level: warn }
receive: { http: { listen: "127.0.0.1:0" }, grpc: { listen: "127.0.0.1:0" } }
spool: { segment_age_max_ms: 100, bytes_max: 134217728, reserve_bytes: 4194304 }
clickhouse: { url: "http://127.0.0.1:${port}", username: spanwarden, password: ${JSON.stringify(password)} }
`;
}
