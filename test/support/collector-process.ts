import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ownMain = fileURLToPath(new URL('../../collector/src/main.ts', import.meta.url));

/** A data directory and config of a collector that may be started, killed and started again. */
export interface CollectorHome {
  readonly directory: string;
  readonly dataDir: string;
  readonly configFile: string;
  remove(): void;
}

/** @param yaml further config lines; `data_dir` and a free port are given. */
export function createHome(yaml = ''): CollectorHome {
  const directory = mkdtempSync(join(tmpdir(), 'spanwarden-test-'));
  const configFile = join(directory, 'spanwarden.yaml');
  const dataDir = join(directory, 'data');
  const listen = yaml.includes('receive:')
    ? ''
    : 'receive: { http: { listen: "127.0.0.1:0" }, grpc: { listen: "127.0.0.1:0" } }\n';
  writeFileSync(configFile, `data_dir: ${JSON.stringify(dataDir)}\nlog: { level: warn }\n${listen}${yaml}`);
  return {
    directory,
    dataDir,
    configFile,
    remove: () => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }),
  };
}

interface Urls {
  readonly otlp: string;
  readonly grpc: string;
}

/** A collector as its users run it: `spanwarden serve` in a process of its own. */
export class CollectorProcess {
  readonly url: string;
  readonly grpcUrl: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | null>;
  readonly #log: string[];

  private constructor(child: ChildProcess, urls: Urls, exited: Promise<number | null>, log: string[]) {
    this.#child = child;
    this.url = urls.otlp;
    this.grpcUrl = urls.grpc;
    this.#exited = exited;
    this.#log = log;
  }

  /** @param options `main` of another checkout, to compare with; `env` beside that of this process */
  static async start(
    home: CollectorHome,
    { main = ownMain, env = {} }: { readonly main?: string; readonly env?: Readonly<Record<string, string>> } = {},
  ): Promise<CollectorProcess> {
    const child = spawn(process.execPath, [main, 'serve', '--json', '--config', home.configFile], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    const log: string[] = [];
    child.stderr!.setEncoding('utf8').on('data', (text: string) => log.push(text));
    const exited = new Promise<number | null>((done) => child.once('exit', done));
    const ready = new Promise<string>((done) => createInterface({ input: child.stdout! }).once('line', done));
    const first = await Promise.race([ready, exited]);
    if (typeof first !== 'string') throw new Error(`the collector ended with ${first}:\n${log.join('')}`);
    const { urls } = JSON.parse(first) as { urls: Urls };
    return new CollectorProcess(child, urls, exited, log);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get log(): string {
    return this.#log.join('');
  }

  /** Sends a signal and waits for the end, if it has not come yet; SIGKILL is what a crash looks like. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    this.#child.kill(signal);
    return this.#exited;
  }
}

/** Polls until `done` gives a value; throws with `what` after the deadline. */
export async function eventually<T>(what: string, done: () => Promise<T | undefined>, withinMs = 30_000): Promise<T> {
  const until = Date.now() + withinMs;
  let last: unknown;
  while (Date.now() < until) {
    try {
      const value = await done();
      if (value !== undefined) return value;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`not within ${withinMs} ms: ${what}${last ? ` (${String(last)})` : ''}`);
}

/** Sends one OTLP trace request; true when it is acknowledged, within the time when one is given. */
export async function sendTraces(url: string, body: Buffer, withinMs?: number): Promise<boolean> {
  try {
    const headers = { 'content-type': 'application/x-protobuf' };
    const signal = withinMs === undefined ? null : AbortSignal.timeout(withinMs);
    const response = await fetch(`${url}/v1/traces`, { method: 'POST', body: body as never, headers, signal });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}
