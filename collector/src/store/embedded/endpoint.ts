import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readPassword } from './secrets.ts';

/** Where the files of the embedded server stand in the collector's data directory. */
export function embeddedPaths(dataDir: string) {
  const directory = join(dataDir, 'clickhouse');
  return {
    directory,
    data: join(directory, 'data'),
    config: join(directory, 'config.xml'),
    users: join(directory, 'users.xml'),
    password: join(directory, 'password'),
    grafanaPassword: join(directory, 'grafana-password'),
    ports: join(directory, 'ports.json'),
    endpoint: join(directory, 'endpoint.json'),
    workingDirectory: join(directory, 'cwd'),
  };
}

/** How to reach a running embedded server. */
export interface Endpoint {
  readonly url: string;
  readonly tcpPort: number;
  readonly username: string;
  readonly password: string;
  readonly database: string;
  readonly version: string;
  /** Process id of the server. */
  readonly pid: number;
  /** Process id of the collector that started it. */
  readonly collectorPid: number;
  readonly grafana: { readonly username: string; readonly password: string };
}

/** Writes `endpoint.json` (mode 600), without the passwords, which stand in files of their own. */
export function writeEndpoint(dataDir: string, endpoint: Endpoint): void {
  const { url, tcpPort, username, database, version, pid, collectorPid, grafana } = endpoint;
  const content = { url, tcpPort, username, database, version, pid, collectorPid, grafana: grafana.username };
  writeFileSync(embeddedPaths(dataDir).endpoint, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
}

/**
 * The embedded server that runs on this data directory, for commands that talk to a running collector. Undefined when
 * none does.
 */
export function readEndpoint(dataDir: string): Endpoint | undefined {
  const paths = embeddedPaths(dataDir);
  const password = readPassword(paths.password);
  const grafanaPassword = readPassword(paths.grafanaPassword);
  if (password === undefined || grafanaPassword === undefined) return undefined;
  try {
    const content = JSON.parse(readFileSync(paths.endpoint, 'utf8'));
    if (!isAlive(content.pid)) return undefined;
    return { ...content, password, grafana: { username: content.grafana, password: grafanaPassword } };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

export function removeEndpoint(dataDir: string): void {
  rmSync(embeddedPaths(dataDir).endpoint, { force: true });
}

export function isAlive(pid: unknown): boolean {
  if (!Number.isInteger(pid) || (pid as number) <= 0) return false;
  try {
    process.kill(pid as number, 0);
    return true;
  } catch (error) {
    // A process of somebody else is a process all the same.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
