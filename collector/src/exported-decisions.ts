import { join } from 'node:path';
import type { Logger } from 'pino';
import { CaseDecisions } from './case-decisions.ts';
import type { Config } from './config/schema.ts';
import { eventsOf } from './export/config.ts';
import { filesIn } from './export/delivery/files.ts';
import type { Exporter } from './export/exporter.ts';
import type { Spool } from './spool/contract.ts';
import { readDecisions } from './store/decisions-reader.ts';
import type { Store } from './store/index.ts';

export interface DecisionsOptions {
  readonly config: Config;
  readonly dataDir: string;
  readonly spool: Spool;
  readonly store: Store;
  readonly logger: Logger;
}

/** The exporter, and what people decide about cases on the same way, when a destination wants cases. */
export function withDecisions(
  exporter: Exporter,
  { config, dataDir, spool, store, logger }: DecisionsOptions,
): Exporter {
  if (!Object.values(config.export.destinations).some((each) => eventsOf(each).includes('cases'))) return exporter;
  const decisions = new CaseDecisions({
    ...{ log: spool, files: filesIn(join(dataDir, 'export')), spoolId: spool.id, logger, now: Date.now },
    read: async (range) => {
      await store.migrated();
      return readDecisions(store.client, range);
    },
  });
  return {
    ...exporter,
    start: () => {
      exporter.start();
      decisions.start();
    },
    stop: async (graceMs) => {
      await decisions.stop();
      await exporter.stop(graceMs);
    },
  };
}
