import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startEmbedded } from '../../collector/src/store/embedded/start.ts';
import { clickhouseOf, type TestClickhouse } from '../../test/support/clickhouse.ts';
import { CollectorProcess, createHome, eventually } from '../../test/support/collector-process.ts';
import { freePort } from '../../test/support/free-port.ts';
import { useRules } from '../collector.ts';
import { rulesTimes } from '../stages.ts';

/** A collector under load, with an embedded ClickHouse of its own. */
export interface Target {
  readonly name: TargetName;
  readonly httpUrl: string;
  readonly grpcUrl: string;
  readonly pid: number;
  readonly clickhouse: TestClickhouse;
  stop(): Promise<void>;
}

export const ownNames = ['shipped rules', '15 rules', 'no rules', 'no rules, no redaction'] as const;
export const peerNames = ['peer, queue on disk', 'peer, batch processor before it'] as const;

export type TargetName = (typeof ownNames)[number] | (typeof peerNames)[number];

/** @param peer the program that bench/peer says how to build. */
export function startTarget(name: TargetName, peer: string): Promise<Target> {
  return name === 'peer, queue on disk' || name === 'peer, batch processor before it'
    ? startPeer(name, peer)
    : startOwn(name);
}

async function startOwn(name: (typeof ownNames)[number]): Promise<Target> {
  const home = createHome();
  if (name === '15 rules') useRules(home, rulesTimes(15));
  if (name.startsWith('no rules')) appendFileSync(home.configFile, 'detect: { shipped_rules: false }\n');
  if (name === 'no rules, no redaction') appendFileSync(home.configFile, 'redact: { profile: "off" }\n');
  const collector = await CollectorProcess.start(home);
  const clickhouse = clickhouseOf(home.dataDir);
  return {
    name,
    httpUrl: collector.url,
    grpcUrl: collector.grpcUrl,
    pid: collector.pid,
    clickhouse,
    stop: async () => {
      await clickhouse.close();
      await collector.end('SIGTERM');
      home.remove();
    },
  };
}

const peerConfig = fileURLToPath(new URL('../peer/collector.yaml', import.meta.url));

async function startPeer(name: (typeof peerNames)[number], program: string): Promise<Target> {
  const folder = mkdtempSync(join(tmpdir(), 'spanwarden-peer-'));
  const server = await startEmbedded({ dataDir: folder, database: 'peer' });
  const [httpPort, grpcPort] = [await freePort(), await freePort()];
  const batches = name === 'peer, batch processor before it';
  const child = spawn(program, ['--config', peerConfig], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      PEER_QUEUE: join(folder, 'queue'),
      PEER_HTTP_PORT: String(httpPort),
      PEER_GRPC_PORT: String(grpcPort),
      PEER_CLICKHOUSE: `tcp://127.0.0.1:${server.tcpPort}`,
      PEER_CLICKHOUSE_USER: server.username,
      PEER_CLICKHOUSE_PASSWORD: server.password,
      PEER_CLICKHOUSE_DATABASE: server.database,
      PEER_PROCESSORS: batches ? '[memory_limiter, batch]' : '[memory_limiter]',
      PEER_QUEUE_BATCH: batches ? '{ enabled: false }' : '{}',
    },
  });
  const ended = once(child, 'exit');
  await Promise.race([eventually('the peer listens', () => listens(httpPort)), ended]);
  const clickhouse = clickhouseOf(folder);
  return {
    name,
    httpUrl: `http://127.0.0.1:${httpPort}`,
    grpcUrl: `http://127.0.0.1:${grpcPort}`,
    pid: child.pid!,
    clickhouse,
    stop: () =>
      stopPeer(child, ended, async () => {
        await clickhouse.close();
        await server.stop();
        rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
      }),
  };
}

async function stopPeer(child: ChildProcess, ended: Promise<unknown>, cleanUp: () => Promise<void>): Promise<void> {
  child.kill('SIGTERM');
  await ended;
  await cleanUp();
}

function listens(port: number): Promise<true | undefined> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', () => done(undefined));
  });
}
