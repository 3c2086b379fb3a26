import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { SpanwardenError } from '../../model/errors.ts';
import { ask } from './ask.ts';
import type { ChildOptions } from './child.ts';
import { type Endpoint, embeddedPaths, isAlive, removeEndpoint, writeEndpoint } from './endpoint.ts';
import { libraryPath } from './library.ts';
import { choosePorts, isAnyTaken, type Ports, rememberPorts } from './ports.ts';
import { keptPassword } from './secrets.ts';
import { type Accounts, type Shard, usersXml } from './server-files.ts';

export interface EmbeddedOptions {
  /** The collector's data directory; the server keeps its files in `clickhouse/` there. */
  readonly dataDir: string;
  /** 0 or absent: the port of the last start if it is free, else any. */
  readonly httpPort?: number;
  readonly tcpPort?: number;
  readonly memoryMaxMb?: number;
  readonly database?: string;
  /** This server and others on the machine as the cluster `shards`. */
  readonly shards?: readonly Shard[];
  readonly logger?: Logger;
}

export interface EmbeddedServer extends Endpoint {
  /** Resolves when the server process has ended, whoever ended it. */
  readonly exited: Promise<void>;
  /** Lets running inserts finish for a few seconds, then ends the server. Idempotent. */
  stop(): Promise<void>;
}

const startWithinMs = 60_000;
/** A server whose collector was killed needs a moment to die; a living collector keeps its server. */
const deadOwnerWaitMs = 15_000;
const livingOwnerWaitMs = 1_000;
const portRacesMax = 3;
/** A stop has to be over in ten seconds, whatever it waited for before; an INSERT that is cut is sent again under its token. */
const insertsWithinMs = 1_500;
const childFile = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './child.ts' : './child.js', import.meta.url),
);

/**
 * Starts ClickHouse as a child process that listens on loopback only and ends when this process does.
 *
 * Throws a SpanwardenError: SW_CLICKHOUSE_START when the package is missing, a configured port is taken, another collector
 * uses the data directory or the server does not come up; SW_DATA_DIR when the directory cannot be written.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const library = libraryPath();
  const dataDir = resolve(options.dataDir);
  const database = options.database ?? 'spanwarden';
  const memoryMaxMb = options.memoryMaxMb ?? 1024;
  const paths = embeddedPaths(dataDir);
  const passwords = prepareDirectory(dataDir, { memoryMaxMb, database, isShard: options.shards !== undefined });
  const giveUpAt = Date.now() + lockWaitMs(paths.endpoint);
  for (let attempt = 0; ; attempt++) {
    const ports = await choosePorts({ http: options.httpPort ?? 0, tcp: options.tcpPort ?? 0 }, paths.ports);
    mkdirSync(paths.workingDirectory, { recursive: true });
    const child = spawnChild({
      library,
      configFile: paths.config,
      usersFile: paths.users,
      dataPath: paths.data,
      workingDirectory: paths.workingDirectory,
      httpPort: ports.http,
      tcpPort: ports.tcp,
      memoryMaxMb,
      database,
      shards: options.shards,
    });
    const failure = await comesUp(child, ports, passwords.collector);
    if (failure === undefined) return serverOf(child, { dataDir, database, ports, passwords, logger: options.logger });
    await child.kill();
    if (failure.includes('Cannot lock file')) {
      if (Date.now() > giveUpAt) throw inUse(dataDir);
      await sleep(200);
    } else if (attempt >= portRacesMax || !(await isAnyTaken(ports))) throw startError(failure);
    // Else somebody took a port after it was looked at: there is another one, or it is told which one of the config it is.
  }
}

interface Passwords {
  readonly collector: string;
  readonly grafana: string;
}

function prepareDirectory(dataDir: string, account: Pick<Accounts, 'memoryMaxMb' | 'database' | 'isShard'>): Passwords {
  const paths = embeddedPaths(dataDir);
  try {
    mkdirSync(paths.directory, { recursive: true, mode: 0o700 });
    chmodSync(paths.directory, 0o700);
    const collector = keptPassword(paths.password);
    const grafana = keptPassword(paths.grafanaPassword);
    const users = usersXml({ ...account, collectorPassword: collector, grafanaPassword: grafana });
    writeFileSync(paths.users, users, { mode: 0o600 });
    return { collector, grafana };
  } catch (error) {
    throw new SpanwardenError({
      code: 'SW_DATA_DIR',
      message: `the data directory cannot be used: ${(error as Error).message}`,
      advice: 'Set data_dir in the config to a folder this user may write to.',
    });
  }
}

interface Child {
  readonly process: ChildProcess;
  readonly exited: Promise<void>;
  /** Why the server ended by itself, or the last it wrote to stderr. */
  lastWords(): string;
  kill(): Promise<void>;
}

const lastWordsCharsMax = 4_096;

function spawnChild(options: ChildOptions): Child {
  // A process group of its own, so that Ctrl-C in the terminal reaches the collector alone, which then ends the server in
  // order. No environment: keys and NODE_OPTIONS of the collector are none of ClickHouse's business.
  const libraries = process.env.LD_LIBRARY_PATH;
  const child = spawn(process.execPath, [childFile], {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { LANG: 'C', ...(libraries === undefined ? {} : { LD_LIBRARY_PATH: libraries }) },
  });
  // A server that hangs does not see that the collector has ended, and would keep its lock.
  const killed = () => void child.kill('SIGKILL');
  process.once('exit', killed);
  child.once('close', () => process.off('exit', killed));
  let words = '';
  const collect = (chunk: Buffer) => {
    words = (words + chunk.toString('utf8')).slice(-lastWordsCharsMax);
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  child.stdin.on('error', () => {});
  child.stdin.write(`${JSON.stringify(options)}\n`);
  const exited = new Promise<void>((done) => {
    child.once('close', () => done());
    child.once('error', (error) => {
      words = error.message;
      done();
    });
  });
  return {
    process: child,
    exited,
    lastWords: () => words.trim(),
    kill: () => {
      child.stdin.end();
      child.kill('SIGKILL');
      return exited;
    },
  };
}

/** Undefined when the server answers with our password, else why it does not. */
async function comesUp(child: Child, ports: Ports, password: string): Promise<string | undefined> {
  const url = `http://127.0.0.1:${ports.http}`;
  let ended = false;
  void child.exited.then(() => {
    ended = true;
  });
  const giveUpAt = Date.now() + startWithinMs;
  while (Date.now() < giveUpAt) {
    const answer = await ask({ url, username: 'spanwarden', password, query: 'SELECT 1', timeoutMs: 5_000 });
    if (answer.status === 'ok') return undefined;
    if (ended) return child.lastWords() || 'the server ended without a word';
    if (answer.status === 'refused') return `port ${ports.http} is answered by another server: ${answer.message}`;
    await Promise.race([sleep(25), child.exited]);
  }
  return `the server did not answer within ${startWithinMs / 1000} s: ${child.lastWords()}`;
}

interface Running {
  readonly dataDir: string;
  readonly database: string;
  readonly ports: Ports;
  readonly passwords: Passwords;
  readonly logger: Logger | undefined;
}

async function serverOf(child: Child, running: Running): Promise<EmbeddedServer> {
  const { dataDir, database, ports, passwords, logger } = running;
  const url = `http://127.0.0.1:${ports.http}`;
  const asCollector = { url, username: 'spanwarden', password: passwords.collector, timeoutMs: 5_000 };
  await filesAreOutOfReach(url, dataDir, passwords.grafana).catch(async (error: unknown) => {
    await child.kill();
    throw error;
  });
  const version = await ask({ ...asCollector, query: 'SELECT version()' });
  const endpoint: Endpoint = {
    url,
    tcpPort: ports.tcp,
    username: 'spanwarden',
    password: passwords.collector,
    database,
    version: version.status === 'ok' ? version.text.trim() : '',
    pid: child.process.pid ?? 0,
    collectorPid: process.pid,
    grafana: { username: 'grafana', password: passwords.grafana },
  };
  writeEndpoint(dataDir, endpoint);
  rememberPorts(ports, embeddedPaths(dataDir).ports);
  logger?.info({ url, tcpPort: ports.tcp, version: endpoint.version, pid: endpoint.pid }, 'embedded ClickHouse runs');
  let stopping: Promise<void> | undefined;
  return {
    ...endpoint,
    exited: child.exited,
    stop: () => {
      stopping ??= (async () => {
        await insertsEnd(asCollector);
        await child.kill();
        removeEndpoint(dataDir);
      })();
      return stopping;
    },
  };
}

/** What child.ts does against `file` rests on how this version of ClickHouse is made, so it is checked at every start. */
async function filesAreOutOfReach(url: string, dataDir: string, password: string): Promise<void> {
  const param_path = embeddedPaths(dataDir).grafanaPassword;
  const query = 'SELECT file({path:String})';
  const answer = await ask({ url, username: 'grafana', password, query, timeoutMs: 5_000, parameters: { param_path } });
  if (answer.status === 'refused') return;
  throw startError('accounts that may only read tables could read files with it, so it was stopped');
}

async function insertsEnd(account: { url: string; username: string; password: string }): Promise<void> {
  const query = "SELECT count() FROM system.processes WHERE query_kind IN ('Insert', 'Alter', 'Create')";
  const giveUpAt = Date.now() + insertsWithinMs;
  while (Date.now() < giveUpAt) {
    const answer = await ask({ ...account, query, timeoutMs: 1_000 });
    if (answer.status !== 'ok' || answer.text.trim() === '0') return;
    await sleep(50);
  }
}

function lockWaitMs(endpointFile: string): number {
  try {
    const { collectorPid } = JSON.parse(readFileSync(endpointFile, 'utf8')) as { collectorPid?: unknown };
    return isAlive(collectorPid) ? livingOwnerWaitMs : deadOwnerWaitMs;
  } catch {
    return deadOwnerWaitMs;
  }
}

function inUse(dataDir: string): SpanwardenError {
  return new SpanwardenError({
    code: 'SW_CLICKHOUSE_START',
    message: `another collector's ClickHouse uses the data directory ${dataDir}`,
    advice: 'Stop that collector, or set data_dir in the config to another folder.',
  });
}

function startError(reason: string): SpanwardenError {
  const shortened = reason.length > 600 ? `${reason.slice(0, 600)}…` : reason;
  return new SpanwardenError({
    code: 'SW_CLICKHOUSE_START',
    message: `the embedded ClickHouse did not start: ${shortened}`,
    advice: 'Set clickhouse.url to a ClickHouse of yours if this machine cannot run it.',
  });
}
