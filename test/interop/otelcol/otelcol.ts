import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { freePort } from '../../support/free-port.ts';
import { Server } from '../support/server.ts';
import { cacheFolder } from '../support/tools.ts';

const sources = ['main.go', 'go.mod'].map((name) => join(import.meta.dirname, name));

/**
 * The program, built if it has not been: some minutes of one core. Not with the Collector's builder, which also fetches what only tests of the
 * components need; the module proxy does not always have that.
 */
function builtOtelcol(): string {
  const hash = createHash('sha256');
  for (const path of sources) hash.update(readFileSync(path));
  const program = join(cacheFolder, `otelcol-${hash.digest('hex').slice(0, 12)}`);
  if (existsSync(program)) return program;
  mkdirSync(cacheFolder, { recursive: true });
  const folder = mkdtempSync(join(cacheFolder, 'otelcol-build-'));
  try {
    for (const path of sources) copyFileSync(path, join(folder, basename(path)));
    const env = { ...process.env, GOFLAGS: '-mod=mod -buildvcs=false' };
    const args = ['build', '-p=1', '-trimpath', '-ldflags=-s -w', '-o', 'otelcol', '.'];
    execFileSync('go', args, { cwd: folder, env, stdio: 'inherit' });
    renameSync(join(folder, 'otelcol'), program);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return program;
}

/** An OpenTelemetry Collector that writes what it takes in into files, a line of OTLP/JSON for each request. */
export class Otelcol {
  readonly #folder: string;
  readonly #config: string;
  readonly port: number;
  #server: Server | undefined;

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.port = port;
    this.#config = join(folder, 'otelcol.yaml');
    writeFileSync(this.#config, configOf(folder, port));
  }

  static async start(): Promise<Otelcol> {
    mkdirSync(cacheFolder, { recursive: true });
    const otelcol = new Otelcol(mkdtempSync(join(cacheFolder, 'otelcol-data-')), await freePort());
    await otelcol.restart();
    return otelcol;
  }

  async restart(): Promise<void> {
    this.#server = await Server.start({
      command: builtOtelcol(),
      args: ['--config', this.#config],
      ready: /Everything is ready/,
      readyMs: 60_000,
    });
  }

  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    await this.#server?.end(signal);
  }

  async remove(): Promise<void> {
    await this.end('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** The requests of a signal that it has written, as it understood them; a kill may cut the last line. */
  written(signal: 'traces' | 'logs'): object[] {
    const path = join(this.#folder, `${signal}.json`);
    if (!existsSync(path)) return [];
    const lines = readFileSync(path, 'utf8').split('\n');
    return lines.flatMap((line) => {
      try {
        return line === '' ? [] : [JSON.parse(line) as object];
      } catch {
        return [];
      }
    });
  }
}

/** With rotation the exporter writes each request before it is answered, and a kill loses nothing that was. */
function configOf(folder: string, port: number): string {
  const file = (signal: string) =>
    `  file/${signal}: { path: ${folder}/${signal}.json, rotation: { max_megabytes: 1000 } }`;
  const pipeline = (signal: string) => `    ${signal}: { receivers: [otlp], exporters: [file/${signal}] }`;
  return `receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:${port}" } } }
exporters:
${file('traces')}
${file('logs')}
service:
  pipelines:
${pipeline('traces')}
${pipeline('logs')}
  telemetry: { metrics: { level: none } }
`;
}
