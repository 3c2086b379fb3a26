import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type DebianTree, debianPackages } from '../debian.ts';
import type { MockCall } from './kafka-mock-process.ts';

const run = promisify(execFile);
const packages = ['kcat', 'librdkafka1', 'libyajl2', 'libsasl2-2'];
const program = fileURLToPath(new URL('kafka-mock-process.ts', import.meta.url));

/** Numbers of requests, https://kafka.apache.org/protocol#protocol_api_keys. */
export const api = { produce: 0, metadata: 3 } as const;

/** A record as kcat reads it. */
export interface ReadRecord {
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly payload: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** librdkafka's mock cluster in a process of its own, with the faults that it can make, and kcat to read what it has. */
export class KafkaMock {
  readonly #tree: DebianTree;
  readonly #child: ChildProcess;
  readonly brokers: readonly string[];

  private constructor(tree: DebianTree, child: ChildProcess, brokers: readonly string[]) {
    this.#tree = tree;
    this.#child = child;
    this.brokers = brokers;
  }

  /** A text says why it cannot be had here. */
  static async start(brokers = 3): Promise<KafkaMock | string> {
    const tree = await debianPackages('kafka', packages);
    if (typeof tree === 'string') return tree;
    const child = fork(program, [join(tree.libraries, 'librdkafka.so.1'), String(brokers)], {
      env: tree.env,
      // It says that it has no brokers to connect to, which is so.
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    const [said] = (await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(([code]) => {
        throw new Error(`the mock of librdkafka ended with ${code}`);
      }),
    ])) as [string];
    return new KafkaMock(tree, child, said.split(','));
  }

  async call(call: MockCall): Promise<void> {
    const done = once(this.#child, 'message');
    this.#child.send(call);
    await done;
  }

  async createTopic(topic: string, partitions: number): Promise<void> {
    await this.call({ name: 'createTopic', topic, partitions });
  }

  /** All records of a topic, by partition and offset. */
  async records(topic: string): Promise<ReadRecord[]> {
    const lines = await this.#kcat(['-C', '-t', topic, '-o', 'beginning', '-e', '-q', '-J']);
    return lines
      .map((line) => JSON.parse(line) as Omit<ReadRecord, 'headers'> & { headers?: string[] })
      .map((record) => ({ ...record, headers: pairs(record.headers ?? []) }))
      .sort((a, b) => a.partition - b.partition || a.offset - b.offset);
  }

  /** The partition that Java's partitioner, as librdkafka has it, chooses for a key. */
  async partitionOf(topic: string, key: string): Promise<number> {
    await this.#kcat(['-P', '-t', topic, '-k', key, '-X', 'topic.partitioner=murmur2'], 'probe\n');
    const probes = (await this.records(topic)).filter((record) => record.payload === 'probe' && record.key === key);
    return probes.at(-1)?.partition ?? -1;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }

  async #kcat(args: readonly string[], input = ''): Promise<string[]> {
    const running = run(join(this.#tree.root, 'usr/bin/kcat'), ['-b', this.brokers.join(','), ...args], {
      env: this.#tree.env,
      maxBuffer: 64 * 1024 * 1024,
      timeout: 60_000,
    });
    running.child.stdin?.end(input);
    const { stdout } = await running;
    return stdout.split('\n').filter((line) => line !== '');
  }
}

/** kcat gives names and values in turn. */
function pairs(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(texts.flatMap((text, index) => (index % 2 === 0 ? [[text, texts[index + 1] ?? '']] : [])));
}
