import { after, before } from 'node:test';
import { clickhouseOf, type TestClickhouse } from './clickhouse.ts';
import { type CollectorHome, CollectorProcess, createHome } from './collector-process.ts';

export interface TestCollector {
  readonly home: CollectorHome;
  readonly clickhouse: TestClickhouse;
  readonly url: string;
  readonly grpcUrl: string;
  readonly log: string;
  /** Ends it with a signal and starts it again on the same data; its addresses are others then. */
  restart(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  /** Ends it before the tests do, and gives its exit code. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null>;
}

/**
 * One collector with its embedded ClickHouse, as `spanwarden serve` runs it, for all tests of a file or suite: started before the first
 * and stopped after the last.
 *
 * @param yaml as of `createHome`.
 */
export function testCollector(yaml = ''): TestCollector {
  const home = createHome(yaml);
  const clickhouse = clickhouseOf(home.dataDir);
  let running: CollectorProcess | undefined;
  const process = (): CollectorProcess => {
    if (running === undefined) throw new Error('the collector of the tests does not run');
    return running;
  };
  before(async () => {
    running = await CollectorProcess.start(home);
  });
  after(async () => {
    await clickhouse.close();
    await running?.end('SIGTERM');
    home.remove();
  });
  return {
    home,
    clickhouse,
    get url() {
      return process().url;
    },
    get grpcUrl() {
      return process().grpcUrl;
    },
    get log() {
      return process().log;
    },
    restart: async (signal) => {
      await process().end(signal);
      running = await CollectorProcess.start(home);
    },
    end: (signal) => process().end(signal),
  };
}
