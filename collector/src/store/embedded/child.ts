/**
 * The embedded ClickHouse server: a process of its own, started by start.ts, because an engine abort kills its process.
 * The library runs `clickhouse local` on a worker thread; the main thread lives for three duties:
 *
 * - It authenticates the starting session and nobody else (the gate). That session is always `default` with an empty
 *   password, so an ordinary account would let everybody on the machine in.
 * - It takes the working directory away before a listener is open. The scalar function `file('/any/path')` needs no grant
 *   in this mode; it resolves the working directory first and fails when there is none. start.ts checks that it does.
 * - It watches the collector: when its end of stdin closes, or the process has another parent, the server ends at once.
 *
 * Ending is always SIGKILL. MergeTree is made for that, the tables fsync every insert, and the library's own way out
 * hangs or crashes once there are tables.
 */
import { randomBytes } from 'node:crypto';
import { rmdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { DataType, isNullPointer, load, open } from 'ffi-rs';
import { type Shard, serverConfigXml } from './server-files.ts';

/** What start.ts writes as the first line of stdin. */
export interface ChildOptions {
  readonly library: string;
  readonly configFile: string;
  readonly usersFile: string;
  readonly dataPath: string;
  readonly workingDirectory: string;
  readonly httpPort: number;
  readonly tcpPort: number;
  readonly memoryMaxMb: number;
  readonly database: string;
  readonly shards?: readonly Shard[] | undefined;
}

const parentPid = process.ppid;
const lines = createInterface({ input: process.stdin });
lines.once('line', (line) => void serve(JSON.parse(line) as ChildOptions));
lines.once('close', end);
process.stdin.once('error', end);
setInterval(() => {
  if (process.ppid !== parentPid) end();
}, 2_000);

async function serve(options: ChildOptions): Promise<void> {
  process.umask(0o077);
  process.chdir(options.workingDirectory);
  const gateUrl = await openGate(() => rmdirSync(options.workingDirectory));
  writeFileSync(options.configFile, serverConfigXml({ ...options, gateUrl }), { mode: 0o600 });
  const error = await runClickHouse(options);
  process.stdout.write(`${JSON.stringify({ ended: error })}\n`, end);
}

/**
 * Lets the first one in, which is the starting session: no listener is open before it has signed in. The secret path
 * keeps others on this machine from being the first. Gives the URL that ClickHouse asks.
 */
function openGate(onFirst: () => void): Promise<string> {
  const path = `/${randomBytes(16).toString('hex')}`;
  let opened = false;
  const server = createServer((request, response) => {
    const first = !opened && request.url === path;
    if (first) {
      opened = true;
      onFirst();
    }
    response.writeHead(first ? 200 : 401).end();
  });
  return new Promise((done, failed) => {
    server.once('error', failed);
    server.listen(0, '127.0.0.1', () => done(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`));
  });
}

/** Returns only when ClickHouse could not start: the last query never ends. */
async function runClickHouse(options: ChildOptions): Promise<string> {
  open({ library: 'chdb', path: options.library });
  const query = [
    'SYSTEM START LISTEN TCP',
    'SYSTEM START LISTEN HTTP',
    'SELECT sleep(3) FROM system.numbers SETTINGS max_block_size = 1, interactive_delay = 60000000 FORMAT Null',
  ].join('; ');
  const argv = ['clickhouse', `--config-file=${options.configFile}`, `--path=${options.dataPath}`, '--query', query];
  const result = await load({
    library: 'chdb',
    funcName: 'chdb_query_cmdline',
    retType: DataType.External,
    paramsType: [DataType.I32, DataType.StringArray],
    paramsValue: [argv.length, argv],
    runInNewThread: true,
  });
  if (isNullPointer(result)) return 'the library gave no reason';
  const call = {
    library: 'chdb',
    funcName: 'chdb_result_error',
    paramsType: [DataType.External],
    paramsValue: [result],
  };
  if (isNullPointer(load({ ...call, retType: DataType.External }))) return 'the starting session ended';
  return load({ ...call, retType: DataType.String });
}

function end(): void {
  process.kill(process.pid, 'SIGKILL');
}
