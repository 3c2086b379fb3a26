import { isIP } from 'node:net';
import process from 'node:process';
import type { SecureContextOptions } from 'node:tls';
import type { Producer } from '@platformatic/kafka';
import { type Answers, answersIn, answersOf } from './answers.ts';
import { guard } from './guard.ts';
import { boundedScram } from './scram.ts';

export interface KafkaBroker {
  readonly host: string;
  readonly port: number;
}

export interface KafkaRecord {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

export interface KafkaOptions {
  readonly brokers: readonly KafkaBroker[];
  readonly topic: string;
  readonly compression: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
  readonly idempotent: boolean;
  /** For everything that one batch needs. */
  readonly timeoutMs: number;
  /** Undefined for connections in the clear. Certificates of brokers are always verified. */
  readonly readTls: (() => SecureContextOptions) | undefined;
  readonly sasl:
    | { readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'; username: string; password: string }
    | undefined;
  readonly denyPrivateAddresses: boolean;
}

/** What became of records, in their order. */
export interface Produced {
  /** The partition of each record; empty when the cluster was not even asked. */
  readonly partitions: readonly number[];
  /** What brokers said to each partition. */
  readonly answers: Answers;
  /** Why there are partitions without an answer. */
  readonly failed?: FailedSend;
}

export interface FailedSend {
  /** As the library gave it. */
  readonly error: unknown;
  /** What connections failed with meanwhile; the library itself often says only that they are closed. */
  readonly connections: readonly { readonly to: string; readonly error: Error }[];
}

type Client = Producer<Buffer, Buffer, Buffer, Buffer>;
type Library = typeof import('@platformatic/kafka');

const clientId = 'spanwarden';
/** Acknowledged by all replicas that are in sync. */
const acksAll = -1;
/** So often a request is sent again before the batch fails, with the numbers by which brokers know it again. */
const retries = 2;
const retryDelayMs = 100;

/** Why a batch was given up. */
export class GivenUp extends Error {
  override readonly name = 'GivenUp';
}

/** The library's producer, opened when first needed, and anew after a failure: one batch at a time, so that order and numbers hold. */
export class KafkaProducer {
  readonly #options: KafkaOptions;
  #client: Client | undefined;
  /** As last read. */
  #tls: SecureContextOptions | undefined;
  #connections: { to: string; error: Error }[] = [];
  #giveUp = new AbortController();
  #turn: Promise<unknown> = Promise.resolve();

  /** Throws what `readTls` throws. */
  constructor(options: KafkaOptions) {
    this.#options = options;
    this.#tls = options.readTls?.();
  }

  /** Never rejects. */
  produce(records: readonly KafkaRecord[], signal: AbortSignal): Promise<Produced> {
    const produced = this.#turn.then(() => this.#produce(records, signal));
    this.#turn = produced;
    return produced;
  }

  async close(): Promise<void> {
    await this.#turn;
    this.#drop();
  }

  async #produce(records: readonly KafkaRecord[], signal: AbortSignal): Promise<Produced> {
    const { timeoutMs, topic } = this.#options;
    const giveUp = new AbortController();
    this.#giveUp = giveUp;
    const stop = () => giveUp.abort(new GivenUp('the collector is stopping'));
    const late = () => giveUp.abort(new GivenUp(`no answer within timeout_ms (${timeoutMs} ms)`));
    let deadline: NodeJS.Timeout | undefined;
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    this.#connections = [];
    let partitions: number[] = [];
    try {
      const library = await import('@platformatic/kafka');
      deadline = setTimeout(late, timeoutMs);
      const client = this.#open(library);
      const { topics } = await unless(giveUp.signal, () => client.metadata({ topics: [topic] }));
      const count = topics.get(topic)?.partitionsCount ?? 0;
      if (count < 1) throw new Error(`topic ${topic} has no partitions`);
      // As Java's producers choose: whoever else writes to the topic puts the same key into the same partition.
      partitions = records.map(({ key }) => library.compatibilityPartitioner({} as never, key) % count);
      const messages = records.map((record, index) => message(topic, record, partitions[index]!));
      const result = await unless(giveUp.signal, () => client.send({ acks: acksAll, messages }));
      return { partitions, answers: answersOf(result) };
    } catch (error) {
      const answers = answersIn(error);
      // What brokers answered leaves the connections as they are.
      const isAnswered = partitions.length > 0 && partitions.every((partition) => answers.has(partition));
      if (isAnswered) return { partitions, answers };
      this.#drop();
      return { partitions, answers, failed: { error, connections: this.#connections } };
    } finally {
      clearTimeout(deadline);
      signal.removeEventListener('abort', stop);
    }
  }

  #open(library: Library): Client {
    this.#client ??= this.#create(library);
    return this.#client;
  }

  #create({ Producer, saslScramSha }: Library): Client {
    const { brokers, sasl, timeoutMs, idempotent, compression, denyPrivateAddresses } = this.#options;
    const tls = this.#renewedTls();
    const client: Client = new Producer({
      ...{ clientId, bootstrapBrokers: [...brokers], compression, idempotent },
      ...{ timeout: timeoutMs, connectTimeout: timeoutMs, requestTimeout: timeoutMs },
      // Without the numbers what is sent again is there twice; the core knows when to.
      ...{ retries: idempotent ? retries : 0, retryDelay: retryDelayMs, repeatOnStaleMetadata: idempotent },
      // None yet: https://kafka.apache.org/protocol#The_Messages_InitProducerId. The library's zeros are somebody else's.
      ...{ producerId: -1n, producerEpoch: -1 },
      // Addresses have no place in SNI.
      ...(tls && {
        tls: { ...tls, rejectUnauthorized: true },
        tlsServerName: brokers.every(({ host }) => !isIP(host)),
      }),
      ...(sasl && { sasl: sasl.mechanism === 'PLAIN' ? sasl : { ...sasl, authenticate: boundedScram(saslScramSha) } }),
    });
    client.connections.on('connecting', ({ broker: { host, port }, connection }) => {
      // Without a listener an error would end the process; what it says, its socket says as well.
      connection.on('error', () => undefined);
      // The socket is made right after this event.
      process.nextTick(() => {
        if (connection.socket === undefined) return;
        guard(connection.socket, {
          ...{ host, isTls: tls !== undefined, denyPrivateAddresses },
          failed: (error) => void this.#connections.push({ to: `${host}:${port}`, error }),
          refused: (error) => this.#giveUp.abort(error),
        });
      });
    });
    return client;
  }

  /** A certificate may have been replaced since. */
  #renewedTls(): SecureContextOptions | undefined {
    try {
      this.#tls = this.#options.readTls?.();
    } catch {
      // Half of the files are new, or they are gone: what was read before is still the best there is.
    }
    return this.#tls;
  }

  /** Closes all connections at once. */
  #drop(): void {
    const client = this.#client;
    this.#client = undefined;
    if (client === undefined) return;
    const sockets = [...client.connections].map(([, { socket }]) => socket);
    client.close().catch(() => undefined);
    for (const socket of sockets) socket?.destroy();
  }
}

function message(topic: string, { key, value, headers }: KafkaRecord, partition: number) {
  const pairs = Object.entries(headers).map(([name, text]) => [Buffer.from(name), Buffer.from(text)] as const);
  return { topic, partition, key, value, headers: new Map(pairs) };
}

/** What an action gives, or the reason of a signal that aborts before. */
function unless<T>(signal: AbortSignal, act: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    act().then(resolve, reject);
  });
}
