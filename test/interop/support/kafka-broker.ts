import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createAuthority } from '../../../collector/src/receive/testing/certificates.ts';
import { freePort } from '../../support/free-port.ts';
import { type Scope, temporaryFolder } from './exporting.ts';
import { mavenJars } from './maven.ts';
import { Server } from './server.ts';

const run = promisify(execFile);
const version = '4.4.0';
const coordinates = [
  `org.apache.kafka:kafka_2.13:${version}`,
  `org.apache.kafka:kafka-tools:${version}`,
  'org.slf4j:slf4j-simple:1.7.36',
];
const toolMs = 120_000;
/** So long a login over TLS is good for; whoever has not logged in anew by then is cut off. */
export const reauthMs = 3_000;

/** What listens where: in the clear, behind a proxy, with a login, over TLS with a client certificate, over TLS with a login. */
const listeners = { PLAIN: 'PLAINTEXT', PROXIED: 'PLAINTEXT', LOGIN: 'SASL_PLAINTEXT', CERT: 'SSL', BOTH: 'SASL_SSL' };
export type Listener = keyof typeof listeners;

/** Users that can log in; `writer` may write to every topic, `stranger` may do nothing. */
export const users = { writer: 'writer-secret', stranger: 'stranger-secret' } as const;

/** A record as Kafka's own console consumer shows it. */
export interface ConsumedRecord {
  readonly partition: number;
  readonly offset: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly key: string;
  readonly value: string;
}

/** A broker of Apache Kafka, which is its own controller (KRaft), on loopback, with a disk of its own. */
export class KafkaBroker {
  readonly #folder: string;
  readonly #jars: string;
  #server: Server | undefined;
  readonly ports: Readonly<Record<Listener | 'CONTROLLER', number>>;

  private constructor(folder: string, jars: string, ports: KafkaBroker['ports']) {
    this.#folder = folder;
    this.#jars = jars;
    this.ports = ports;
  }

  /** @param proxiedPort what it says that the listener PROXIED is at. */
  static async start(scope: Scope, proxiedPort?: number): Promise<KafkaBroker> {
    const folder = temporaryFolder(scope, 'kafka-broker-');
    const jars = await mavenJars('kafka', coordinates);
    const names = [...(Object.keys(listeners) as Listener[]), 'CONTROLLER'] as const;
    const ports = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await freePort()])));
    const broker = new KafkaBroker(folder, jars, ports);
    await broker.#writeFiles(proxiedPort ?? ports.PROXIED);
    await broker.#format();
    await broker.restart();
    scope.after(() => broker.stop('SIGKILL'));
    return broker;
  }

  address(listener: Listener = 'PLAIN'): string {
    return `127.0.0.1:${this.ports[listener]}`;
  }

  /** PEM files: `ca`, and of the client `client-cert` and `client-key`. */
  file(name: string): string {
    return join(this.#folder, `${name}.pem`);
  }

  async restart(): Promise<void> {
    this.#server = await Server.start({
      command: 'java',
      args: [...this.#java('INFO'), '-Xmx512m', 'kafka.Kafka', this.#properties],
      ready: /Kafka Server started/,
      readyMs: toolMs,
    });
  }

  async stop(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    await this.#server?.end(signal);
    this.#server = undefined;
  }

  async createTopic(topic: string, partitions: number, config: readonly string[] = []): Promise<void> {
    const options = config.flatMap((each) => ['--config', each]);
    const what = ['--create', '--topic', topic, '--partitions', String(partitions), ...options];
    await this.#tool('org.apache.kafka.tools.TopicCommand', ['--bootstrap-server', this.address(), ...what]);
  }

  /** Everything in a topic, by partition and offset. */
  async records(topic: string): Promise<ConsumedRecord[]> {
    const shown = ['print.partition=true', 'print.offset=true', 'print.headers=true', 'print.key=true'];
    const separators = [`key.separator=${mark}`, `headers.separator=${headerMark}`];
    const stdout = await this.#tool('org.apache.kafka.tools.consumer.ConsoleConsumer', [
      ...['--bootstrap-server', this.address(), '--topic', topic, '--from-beginning', '--timeout-ms', '5000'],
      ...[...shown, ...separators].flatMap((each) => ['--formatter-property', each]),
    ]);
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map(recordOf)
      .sort((a, b) => a.partition - b.partition || a.offset - b.offset);
  }

  get #properties(): string {
    return join(this.#folder, 'server.properties');
  }

  #java(level: string): string[] {
    return ['-cp', this.#jars, `-Dorg.slf4j.simpleLogger.defaultLogLevel=${level}`];
  }

  async #tool(main: string, args: readonly string[]): Promise<string> {
    const options = { timeout: toolMs, maxBuffer: 256 * 1024 * 1024 };
    const { stdout } = await run('java', [...this.#java('OFF'), main, ...args], options);
    return stdout;
  }

  async #format(): Promise<void> {
    const id = randomBytes(16).toString('base64url');
    const scram = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) =>
      Object.entries(users).flatMap(([name, password]) => [
        '--add-scram',
        `${mechanism}=[name=${name},password=${password}]`,
      ]),
    );
    await this.#tool('kafka.tools.StorageTool', ['format', '-t', id, '-c', this.#properties, ...scram]);
  }

  async #writeFiles(proxiedPort: number): Promise<void> {
    const authority = await createAuthority('kafka');
    const [server, client] = await Promise.all([authority.issue('broker'), authority.issue('writer')]);
    for (const [name, text] of [
      ['ca', authority.cert],
      ['server', `${server.key}${server.cert}`],
      ['client-cert', client.cert],
      ['client-key', client.key],
    ] as const) {
      writeFileSync(this.file(name), text);
    }
    mkdirSync(join(this.#folder, 'log'));
    writeFileSync(this.#properties, this.#settings(proxiedPort).join('\n'));
  }

  #settings(proxiedPort: number): string[] {
    const at = (ports: Readonly<Record<string, number>>) =>
      Object.entries(ports).map(([name, port]) => `${name}://127.0.0.1:${port}`);
    const { CONTROLLER, ...own } = this.ports;
    const plain = 'org.apache.kafka.common.security.plain.PlainLoginModule required';
    const logins = Object.entries(users).map(([name, password]) => `user_${name}="${password}"`);
    const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
    const each = (names: readonly string[], line: (name: string) => string) => names.map(line);
    return [
      ...['process.roles=broker,controller', 'node.id=1', `controller.quorum.voters=1@127.0.0.1:${CONTROLLER}`],
      `listeners=${at({ ...own, CONTROLLER })}`,
      `advertised.listeners=${at({ ...own, PROXIED: proxiedPort })}`,
      `listener.security.protocol.map=CONTROLLER:PLAINTEXT,${Object.entries(listeners).map((pair) => pair.join(':'))}`,
      ...['inter.broker.listener.name=PLAIN', 'controller.listener.names=CONTROLLER'],
      `log.dirs=${join(this.#folder, 'log')}`,
      ...['offsets.topic.num.partitions=1', 'offsets.topic.replication.factor=1', 'auto.create.topics.enable=false'],
      ...['group.initial.rebalance.delay.ms=0', 'share.coordinator.state.topic.replication.factor=1'],
      ...['sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512'],
      ...each(
        ['login', 'both'],
        (name) => `listener.name.${name}.plain.sasl.jaas.config=${plain} ${logins.join(' ')};`,
      ),
      ...each(['login', 'both'], (name) => `listener.name.${name}.scram-sha-256.sasl.jaas.config=${scram}`),
      ...each(['login', 'both'], (name) => `listener.name.${name}.scram-sha-512.sasl.jaas.config=${scram}`),
      ...['ssl.keystore.type=PEM', `ssl.keystore.location=${this.file('server')}`],
      ...['ssl.truststore.type=PEM', `ssl.truststore.location=${this.file('ca')}`],
      'listener.name.cert.ssl.client.auth=required',
      ...each(['plain', 'scram-sha-512'], (name) => `listener.name.both.${name}.connections.max.reauth.ms=${reauthMs}`),
      'authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users=User:ANONYMOUS',
    ];
  }

  /** Lets a user write to a topic, and nothing else. */
  async allowWriting(user: string, topic: string): Promise<void> {
    const rule = ['--add', '--allow-principal', `User:${user}`, '--operation', 'Write', '--topic', topic];
    await this.#tool('org.apache.kafka.tools.AclCommand', ['--bootstrap-server', this.address(), ...rule]);
  }
}

const mark = '\u0001';
const headerMark = '\u0002';

/** `Partition:0␁Offset:7␁name:value␂name:value␁key␁value`. */
function recordOf(line: string): ConsumedRecord {
  const [partition = '', offset = '', headers = '', key = '', value = ''] = line.split(mark);
  const pairs = headers.split(headerMark).map((pair) => {
    const colon = pair.indexOf(':');
    return [pair.slice(0, colon), pair.slice(colon + 1)];
  });
  return {
    ...{ partition: numberIn(partition), offset: numberIn(offset), key, value },
    headers: Object.fromEntries(pairs),
  };
}

function numberIn(text: string): number {
  return Number(text.slice(text.indexOf(':') + 1));
}
