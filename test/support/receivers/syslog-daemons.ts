import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DebianTree, debianPackages } from '../debian.ts';
import { freePort } from '../free-port.ts';

/** A message as a daemon read it. */
export interface ReadMessage {
  readonly pri: number;
  readonly host: string;
  readonly app: string;
  readonly msgid: string;
  readonly sd: Readonly<Record<string, string>>;
  readonly message: string;
}

export interface SyslogDaemon {
  readonly port: number;
  /** Waits until there are so many, and gives all. */
  messages(count: number): Promise<ReadMessage[]>;
  /** SIGKILL, or SIGTERM. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** On the same port and the same file. */
  restart(): Promise<void>;
}

export interface DaemonOptions {
  readonly transport: 'tls' | 'tcp' | 'udp';
  readonly framing?: 'octet-counting' | 'newline';
  /** Paths of PEM files; clients have to show a certificate of this authority. */
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string };
}

/** A text says why the daemon cannot be had here. */
export type StartDaemon = (options: DaemonOptions) => Promise<SyslogDaemon | string>;

const rsyslogPackages = ['rsyslog', 'rsyslog-gnutls', 'libestr0', 'libfastjson4', 'liblognorm5'];
const syslogNgPackages = [
  'syslog-ng-core',
  'libivykis0',
  'libnet1',
  'libglib2.0-0',
  'libjson-c5',
  'libwrap0',
  'libpcre3',
];

/** rsyslog of Debian, whose own reader of structured data (mmpstrucdata) says what stands in a message. */
export const startRsyslog: StartDaemon = async (options) => {
  const tree = await debianPackages('rsyslog', rsyslogPackages);
  if (typeof tree === 'string') return tree;
  return start(options, 'syslog-receiver-', (work, port) => {
    writeFileSync(join(work, 'conf'), rsyslogConfig(work, port, options));
    const modules = join(tree.libraries, 'rsyslog');
    const file = join(work, 'conf');
    return program(tree, 'usr/sbin/rsyslogd', ['-n', '-f', file, '-i', join(work, 'pid'), '-M', modules]);
  });
};

/** syslog-ng of Debian: `syslog()` and `network()` with its own parser. */
export const startSyslogNg: StartDaemon = async (options) => {
  const tree = await debianPackages('syslog-ng', syslogNgPackages);
  if (typeof tree === 'string') return tree;
  return start(options, 'syslog-ng-receiver-', (work, port) => {
    writeFileSync(join(work, 'conf'), syslogNgConfig(work, port, options));
    return program(tree, 'usr/sbin/syslog-ng', [
      ...['-F', '--no-caps', '-f', join(work, 'conf'), '-p', join(work, 'pid'), '-c', join(work, 'control')],
      ...['-R', join(work, 'persist'), `--module-path=${join(tree.root, 'usr/lib/syslog-ng/3.38')}`],
    ]);
  });
};

function program({ root, env }: DebianTree, path: string, args: readonly string[]) {
  return spawn(join(root, path), args, { env, stdio: 'ignore' });
}

async function start(
  { transport }: DaemonOptions,
  prefix: string,
  run: (work: string, port: number) => ReturnType<typeof spawn>,
): Promise<SyslogDaemon> {
  const work = mkdtempSync(join(tmpdir(), prefix));
  const port = await freePort();
  let child = run(work, port);
  await listening(child, port, transport, work);
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  };
  return {
    port,
    messages: (count) => read(join(work, 'out'), count),
    stop: async (signal) => {
      await stop(signal);
      if (signal === undefined) rmSync(work, { recursive: true, force: true });
    },
    restart: async () => {
      child = run(work, port);
      await listening(child, port, transport, work);
    },
  };
}

/** A datagram port cannot be asked: what the daemon writes when it has started says it. */
async function listening(child: ReturnType<typeof spawn>, port: number, transport: string, work: string) {
  for (let tries = 0; tries < 200; tries++) {
    if (child.exitCode !== null) throw new Error(`a syslog daemon ended with ${child.exitCode}`);
    const isUp = transport === 'udp' ? exists(join(work, 'pid')) && tries > 10 : await answers(port);
    if (isUp) return;
    await sleep(50);
  }
  throw new Error('a syslog daemon does not listen');
}

function exists(path: string): boolean {
  try {
    return readFileSync(path).length > 0;
  } catch {
    return false;
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

async function read(path: string, count: number): Promise<ReadMessage[]> {
  for (let tries = 0; ; tries++) {
    const lines = exists(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
    if (lines.length >= count || tries === 100) return lines.map(parsed);
    await sleep(50);
  }
}

function parsed(line: string): ReadMessage {
  const { pri, host, app, msgid, sd, message } = JSON.parse(line) as Record<string, string> & {
    sd: Record<string, unknown>;
  };
  return {
    ...{ pri: Number(pri), host: String(host), app: String(app), msgid: String(msgid), message: String(message) },
    sd: (sd['spanwarden@32473'] ?? {}) as Record<string, string>,
  };
}

function rsyslogConfig(work: string, port: number, { transport, framing, tls }: DaemonOptions): string {
  const driver = tls
    ? 'StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.AuthMode="x509/certvalid"'
    : 'StreamDriver.Name="ptcp"';
  const files = tls
    ? `DefaultNetstreamDriverCAFile="${tls.ca}" DefaultNetstreamDriverCertFile="${tls.cert}" DefaultNetstreamDriverKeyFile="${tls.key}"`
    : '';
  const input =
    transport === 'udp'
      ? `module(load="imudp")\ninput(type="imudp" address="127.0.0.1" port="${port}" ruleset="in")`
      : `module(load="imtcp" ${driver})\ninput(type="imtcp" address="127.0.0.1" port="${port}" ruleset="in" ${
          framing === 'newline' ? 'SupportOctetCountedFraming="off"' : ''
        })`;
  return `global(workDirectory="${work}" ${files})
module(load="mmpstrucdata")
template(name="out" type="string" string="{%pri:::jsonf%, \\"host\\": \\"%hostname:::json%\\", \\"app\\": \\"%app-name:::json%\\", \\"msgid\\": \\"%msgid:::json%\\", \\"sd\\": %$!rfc5424-sd%, \\"message\\": \\"%msg:::json%\\"}\\n")
ruleset(name="in") {
  action(type="mmpstrucdata")
  action(type="omfile" file="${work}/out" template="out")
}
${input}
`;
}

function syslogNgConfig(work: string, port: number, { transport, framing, tls }: DaemonOptions): string {
  const at = `ip("127.0.0.1") port(${port})`;
  const files = tls
    ? `tls(key-file("${tls.key}") cert-file("${tls.cert}") ca-file("${tls.ca}") peer-verify(required-trusted))`
    : '';
  const source =
    framing === 'newline'
      ? `network(${at} transport("${transport}") flags(syslog-protocol))`
      : `syslog(${at} transport("${transport}") ${files})`;
  return `@version: 3.38
options { keep-hostname(yes); use-dns(no); chain-hostnames(no); stats-freq(0); };
source in { ${source}; };
destination out {
  file("${work}/out" template("$(format-json pri=$PRI host=$HOST app=$PROGRAM msgid=$MSGID message=$MESSAGE --rekey .SDATA.* --shift 7 --add-prefix sd. --key .SDATA.*)\\n"));
};
log { source(in); destination(out); };
`;
}
