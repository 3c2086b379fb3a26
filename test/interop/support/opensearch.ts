import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../../../scripts/repository.ts';
import { freePort } from '../../support/free-port.ts';
import { type Scope, temporaryFolder } from './exporting.ts';
import { mavenJars } from './maven.ts';
import { Server } from './server.ts';

const version = '2.19.6';
const coordinates = [
  `org.opensearch:opensearch:${version}`,
  ...['transport-netty4-client', 'ingest-common', 'lang-mustache-client'].map(
    (module) => `org.opensearch.plugin:${module}:${version}`,
  ),
  'org.apache.logging.log4j:log4j-core:2.25.4',
];
const program = join(import.meta.dirname, 'java/OpenSearchNode.java');
const readyMs = 120_000;

/** A node of OpenSearch on loopback, without its security plugin, with a disk of its own. */
export class OpenSearch {
  readonly #folder: string;
  readonly #jars: string;
  readonly #ports: readonly number[];
  #server: Server | undefined;

  private constructor(folder: string, jars: string, ports: readonly number[]) {
    this.#folder = folder;
    this.#jars = jars;
    this.#ports = ports;
  }

  /** @param settings of the node, as in opensearch.yml. */
  static async start(scope: Scope, settings: Readonly<Record<string, string>> = {}): Promise<OpenSearch> {
    const jars = await mavenJars('opensearch', coordinates);
    const ports = [await freePort(), await freePort()];
    const folder = temporaryFolder(scope, 'opensearch-node-');
    mkdirSync(join(folder, 'config'));
    writeFileSync(join(folder, 'config/opensearch.yml'), JSON.stringify(settings));
    const node = new OpenSearch(folder, jars, ports);
    await node.restart();
    scope.after(() => node.stop('SIGKILL'));
    return node;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#ports[0]}`;
  }

  async restart(): Promise<void> {
    const args = ['-Xmx512m', '-cp', this.#jars, program, this.#folder, ...this.#ports.map(String)];
    this.#server = await Server.start({ command: 'java', args, ready: /OpenSearch is ready/, readyMs });
  }

  async stop(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    await this.#server?.end(signal);
    this.#server = undefined;
  }

  /** The answer, as JSON; throws with it when it is none of 2xx. */
  async ask(method: 'GET' | 'PUT' | 'POST', path: string, body?: string | object): Promise<Record<string, unknown>> {
    const response = await fetch(`${this.url}/${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as Record<string, unknown>;
  }

  /** What collector/siem/elastic/README.md tells to put. */
  async putOurs(): Promise<void> {
    const file = (name: string) => readFileSync(join(repositoryRoot, 'collector/siem/elastic', name), 'utf8');
    await this.ask('PUT', '_ingest/pipeline/spanwarden.findings', file('ingest-pipeline.json'));
    await this.ask('PUT', '_index_template/logs-spanwarden.findings', file('index-template.json'));
  }

  /** Every document of an index or a data stream, by id. */
  async documents(target: string): Promise<Map<string, Record<string, unknown>>> {
    await this.ask('POST', `${target}/_refresh`);
    const { hits } = (await this.ask('POST', `${target}/_search`, { size: 10_000 })) as {
      hits: { hits: { _id: string; _source: Record<string, unknown> }[] };
    };
    const found = hits.hits.map(({ _id, _source }) => [_id, _source] as const);
    const documents = new Map(found);
    if (documents.size !== found.length) throw new Error(`${target}: an id is there twice`);
    return documents;
  }
}
