import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Collector, startCollector } from '../collector.ts';
import { loadConfig } from '../config/load.ts';
import { TraceDecoder } from '../decode/trace-decoder.ts';
import { createLogger } from '../logger.ts';
import { createFieldTable } from '../model/fields.ts';
import { NormalisedEvents } from '../normalise/span-events.ts';
import { storySpans } from './shown-spans.ts';
import { openStored, type StoredReader } from './stored.ts';
import type { Recorder } from './story.ts';

export interface BackendOptions {
  readonly recorder: Recorder;
  /** Where data is kept; a folder of its own that goes with the demo when left out. */
  readonly dataDir: string | undefined;
  /** `host:port` to listen on, port 0 for a free one. */
  readonly listen: string;
}

export interface Backend {
  readonly urls: Collector['urls'];
  readonly stored: StoredReader;
  /** Stops everything and removes the folder if it was the demo's own. Idempotent. */
  stop(): Promise<void>;
}

/**
 * The real collector with an embedded ClickHouse, in this process. The user's own config file stays out of it: the demo
 * must act alike everywhere.
 */
export async function startBackend(options: BackendOptions): Promise<Backend> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'spanwarden-demo-')));
  const removeData = async () => {
    if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
  };
  // JSON is YAML, so no character of a path needs escaping here.
  const text = JSON.stringify({
    data_dir: dataDir,
    receive: { http: { listen: options.listen }, grpc: { listen: 'off' } },
  });
  try {
    const config = loadConfig({ file: 'demo', text, env: {} });
    const collector = await startCollector(config, {
      logger: createLogger('error'),
      onBatch: record(options.recorder),
    });
    const stored = await readerOf(collector, dataDir);
    let stopping: Promise<void> | undefined;
    const stop = async () => {
      await stored.close();
      await collector.stop();
      await removeData();
    };
    return {
      urls: collector.urls,
      stored,
      stop() {
        stopping ??= stop();
        return stopping;
      },
    };
  } catch (error) {
    await removeData();
    throw error;
  }
}

async function readerOf(collector: Collector, dataDir: string): Promise<StoredReader> {
  try {
    await collector.store.migrated();
    return openStored(collector.store.endpoints, dataDir);
  } catch (error) {
    await collector.stop();
    throw error;
  }
}

/** Reads batches through a field table of its own: ids of names are only good with the table that gave them. */
function record(recorder: Recorder): NonNullable<Parameters<typeof startCollector>[1]['onBatch']> {
  const fields = createFieldTable();
  const decoder = new TraceDecoder(fields);
  const own = new NormalisedEvents(fields);
  return (events, findings) => {
    const decoded = decoder.decode(events.batch.bytes);
    if (decoded.status === 'ok') recorder.addSpans(storySpans(own.bind(decoded.batch), fields));
    if (findings.length > 0) recorder.addFindings(findings);
  };
}
