import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import { SpanwardenError } from '../../model/errors.ts';
import { embeddedPaths, readEndpoint } from '../../store/embedded/endpoint.ts';
import { keptPassword } from '../../store/embedded/secrets.ts';
import { type GrafanaFiles, type GrafanaWishes, grafanaFiles, passwordVariable } from '../grafana-files.ts';
import { shippedPath } from '../shipped-path.ts';
import { createTerminal, escapeControl, jsonLine, type Terminal } from '../terminal.ts';

interface Options {
  readonly config?: string;
  readonly host?: string;
  readonly port?: number;
  readonly user: string;
  readonly database?: string;
  readonly secure?: boolean;
  readonly dashboardsPath?: string;
  readonly passwordFile?: string;
  readonly docs?: string;
  readonly import?: true;
  readonly force?: true;
  readonly json?: true;
}

/** Where ClickHouse is for Grafana. */
type Address = Pick<GrafanaWishes, 'host' | 'port' | 'secure'>;

/** `spanwarden grafana init <dir>`: a folder with all that Grafana needs. */
export function grafanaCommand(): Command {
  return new Command('grafana').description('what Grafana needs to show and alert').addCommand(
    new Command('init')
      .description('write data sources, dashboards, alert rules and the account they read with into a folder')
      .argument('<dir>', 'a folder; it is made when it is not there')
      .option('--host <host>', 'ClickHouse as Grafana reaches it; from clickhouse.url, or 127.0.0.1', parseHost)
      .option('--port <port>', 'its HTTP port; from clickhouse.url, or of the embedded server', parsePort)
      .option('--secure', 'over HTTPS; from clickhouse.url')
      .option('--no-secure', 'over HTTP')
      .option('--user <user>', 'the account that Grafana reads with', parseUser, 'grafana')
      .option('--database <database>', 'the database; clickhouse.database of the config', parseDatabase)
      .option(
        '--dashboards-path <path>',
        'where the folder dashboards stands on the machine of Grafana; here by default',
      )
      .option('--password-file <path>', 'the file that Grafana reads the password from, on its machine', parsePath)
      .option('--docs <url>', 'where docs/ can be read, for links in alerts', parseUrl)
      .option('--import', 'write copies of the dashboards for an import by hand, too')
      .option('--force', 'overwrite files that are there')
      .option('--json', 'print one JSON object')
      .action((dir: string, _, command: Command) => init(dir, command.optsWithGlobals<Options>())),
  );
}

function init(dir: string, options: Options): void {
  const config = loadConfig({ file: options.config, env: process.env });
  const folder = resolve(dir);
  const address = addressOf(config, options);
  const { user } = options;
  const database = options.database ?? config.clickhouse.database;
  const isOwn = config.clickhouse.url !== undefined || options.host !== undefined;
  const passwordFile = isOwn
    ? join(folder, 'clickhouse-password')
    : embeddedPaths(resolve(config.data_dir)).grafanaPassword;
  const files = (passwordSha256Hex?: string) =>
    grafanaFiles(shippedPath('grafana'), {
      ...{ ...address, user, database, docsUrl: options.docs, isForImport: options.import === true },
      passwordFile: options.passwordFile,
      dashboardsPath: options.dashboardsPath ?? join(folder, 'dashboards'),
      account:
        passwordSha256Hex === undefined ? undefined : { user, database, passwordSha256Hex, ...clusterOf(config) },
    });
  // Before a password is made: nothing is left behind where nothing may be written.
  refuseToOverwrite(folder, Object.keys(files('')), options);
  const written = isOwn ? files(sha256Hex(madePassword(folder, passwordFile))) : files();
  write(folder, written);
  const terminal = createTerminal(process.stdout);
  const from = options.passwordFile === undefined ? { passwordVariable } : { passwordRead: options.passwordFile };
  const result = { folder, files: Object.keys(written), ...address, user, database, passwordFile, ...from };
  if (options.json) terminal.write(jsonLine(result, 2));
  else tellNextSteps(terminal, { ...result, isOwn, isForImport: options.import === true });
}

/** By options, else by the config: the address of a server of the user's, else of the embedded one. */
function addressOf({ clickhouse, data_dir }: Config, options: Options): Address {
  const url = clickhouse.url === undefined ? undefined : new URL(clickhouse.url);
  const secure = options.secure ?? (options.host === undefined && url?.protocol === 'https:');
  const host = options.host ?? url?.hostname ?? '127.0.0.1';
  if (options.port !== undefined) return { host, port: options.port, secure };
  if (options.host !== undefined) return { host, port: secure ? 8443 : 8123, secure };
  if (url !== undefined) return { host, port: Number(url.port) || (url.protocol === 'https:' ? 443 : 80), secure };
  const running = readEndpoint(resolve(data_dir))?.url;
  const port = clickhouse.embedded.http_port || (running === undefined ? 0 : Number(new URL(running).port));
  if (port !== 0) return { host, port, secure };
  throw refused(
    'nothing says at which port the embedded ClickHouse listens',
    'Set clickhouse.embedded.http_port in the config, so that it stays the same; or give --host and --port of a server of yours.',
  );
}

function clusterOf({ clickhouse: { cluster } }: Config) {
  return cluster && { cluster: cluster.name, isSharded: cluster.mode === 'sharded' };
}

function refuseToOverwrite(folder: string, paths: readonly string[], { force }: Options): void {
  const there = paths.filter((path) => existsSync(join(folder, path)));
  if (force || there.length === 0) return;
  throw refused(
    `${there.length} files are already there, ${join(folder, there[0]!)} among them`,
    'Name another folder, or write --force to overwrite them.',
  );
}

/** Kept when there is one: the account may have it already. It is kept out of git, too. */
function madePassword(folder: string, file: string): string {
  mkdirSync(folder, { recursive: true });
  const ignore = join(folder, '.gitignore');
  if (!existsSync(ignore)) writeFileSync(ignore, 'clickhouse-password\n');
  return keptPassword(file);
}

function write(folder: string, files: GrafanaFiles): void {
  try {
    for (const [path, text] of Object.entries(files)) {
      const to = join(folder, path);
      mkdirSync(dirname(to), { recursive: true });
      if (!existsSync(to) || readFileSync(to, 'utf8') !== text) writeFileSync(to, text);
    }
  } catch (error) {
    throw refused(`the files cannot be written: ${(error as Error).message}`, 'Name a folder that you may write to.');
  }
}

interface Result extends Address {
  readonly folder: string;
  readonly files: readonly string[];
  readonly passwordFile: string;
  readonly passwordRead?: string;
  readonly isOwn: boolean;
  readonly isForImport: boolean;
}

function tellNextSteps(terminal: Terminal, result: Result): void {
  const { folder, files, passwordFile, passwordRead, isOwn, isForImport } = result;
  const shown = (path: string) => escapeControl(path);
  const steps = [
    ...(isOwn
      ? [`Make the account: clickhouse-client --multiquery < ${shown(join(folder, 'clickhouse-account.sql'))}`]
      : ['Run Grafana on this machine: the embedded ClickHouse listens on loopback, and has the account already.']),
    passwordRead === undefined
      ? `Give Grafana's environment ${passwordVariable}; the password is in ${shown(passwordFile)}`
      : `Copy ${shown(passwordFile)} to ${shown(passwordRead)} on the machine of Grafana`,
    'Install the data source: grafana cli plugins install grafana-clickhouse-datasource',
    `Copy what is in ${shown(join(folder, 'provisioning'))} into Grafana's provisioning folder, or name it in GF_PATHS_PROVISIONING`,
    'Restart Grafana, and open Dashboards › Spanwarden',
    'Who is notified: copy from contact-points.example.yaml, and route product = spanwarden to it',
  ];
  terminal.writeLine(`wrote ${files.length} files to ${shown(folder)}`);
  for (const [index, step] of steps.entries()) terminal.writeLine(`  ${index + 1}. ${step}`);
  if (isForImport) terminal.writeLine(`Copies for an import by hand: ${shown(join(folder, 'dashboards-import'))}`);
}

function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function refused(message: string, advice: string): SpanwardenError {
  return new SpanwardenError({ code: 'SW_GRAFANA_INIT', message, advice });
}

/** What may stand in the files as it is: Grafana replaces $NAME in them. */
function matching(pattern: RegExp, what: string): (text: string) => string {
  return (text) => {
    if (pattern.test(text)) return text;
    throw new InvalidArgumentError(what);
  };
}

const parseHost = matching(/^[A-Za-z0-9._:[\]-]{1,253}$/, 'takes a name or an address, such as clickhouse.example.');
const parseUser = matching(
  /^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/,
  'takes letters, digits, _ . and -, at most 64, and a letter first.',
);
const parseDatabase = matching(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, 'takes letters, digits and _, at most 64.');
const parsePath = matching(/^\/[^\s"'${}]{1,500}$/, 'takes an absolute path.');
const parseUrl = matching(/^https?:\/\/[^\s"'$]{1,500}$/, 'takes a URL, such as https://example.org/docs.');

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new InvalidArgumentError('takes a port, 1 to 65535.');
}
