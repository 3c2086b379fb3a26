import { Counter, Gauge } from 'prom-client';
import type { Config } from './config/schema.ts';
import type { DestinationStatus } from './export/delivery/status.ts';
import { type Exporter, openExporter } from './export/exporter.ts';
import type { ExportEnvironment } from './export/open-destination.ts';
import type { EventSource } from './export/source.ts';
import { exportRedaction } from './export-redaction.ts';
import type { Metrics } from './metrics.ts';
import type { FieldTable } from './model/fields.ts';
import { spanwardenVersion } from './version.ts';

/** What destinations need of the rest, for the collector and for commands alike; these make no key of redaction. */
export function exportEnvironment(
  config: Config,
  dataDir: string,
  fields: FieldTable,
  mayMakeKey = false,
): ExportEnvironment {
  return {
    config: config.export,
    version: spanwardenVersion(),
    redact: exportRedaction(config, dataDir, fields, mayMakeKey),
    now: Date.now,
  };
}

export interface ExportingOptions {
  readonly config: Config;
  readonly dataDir: string;
  readonly fields: FieldTable;
  /** Called when there are destinations. */
  readonly source: () => EventSource;
  readonly logger: Parameters<typeof openExporter>[0]['logger'] & object;
}

/** Opens the destinations of the config. Throws a SpanwardenError when one cannot be opened. */
export async function openExporting(options: ExportingOptions): Promise<Exporter> {
  const { config, dataDir, fields, logger } = options;
  const source = Object.keys(config.export.destinations).length === 0 ? nothing : options.source();
  return openExporter({ ...exportEnvironment(config, dataDir, fields, true), dataDir, source, logger });
}

const nothing: EventSource = { head: -1, waiting: undefined, read: async () => undefined };

const states = ['ok', 'retrying', 'misconfigured', 'stopped'] as const;

/** How each destination and each tee stands; they are those of the config, so that labels are bounded. */
export function addExportGauges(metrics: Metrics, statuses: () => readonly DestinationStatus[]): void {
  const counters = [
    [
      'delivered_events',
      'Events, or requests of a tee, that the receiver has taken.',
      ({ counts }) => counts.delivered,
    ],
    ['refused_events', 'Events that it will never take: dead letters.', ({ counts }) => counts.refused],
    [
      'rejected_records',
      'Records in what was delivered that the receiver did not take.',
      ({ counts }) => counts.rejected,
    ],
    ['filtered_events', 'Events that the filter let be.', ({ counts }) => counts.filtered],
    ['retries', 'Requests that failed and were followed by another.', ({ counts }) => counts.retried],
    [
      'lost_records',
      'Records, or segments of a tee, that were gone before they could be read.',
      ({ counts }) => counts.lost,
    ],
    ['dead_letters_overflowed', 'Dead letters without room in the file.', ({ deadLetters }) => deadLetters.overflowed],
  ] as const satisfies readonly Reading[];
  const gauges = [
    ['lag_seconds', 'Age of the oldest event that is not delivered.', ({ lag }) => lag.ms / 1000],
    ['behind', '1 while the stream has more than was read.', ({ lag }) => Number(lag.more)],
    ['waiting_events', 'Events in memory that are not delivered.', ({ lag }) => lag.events],
    ['dead_letters', 'Dead letters in the file.', ({ deadLetters }) => deadLetters.count],
    [
      'last_success_timestamp_seconds',
      'When the receiver took something; 0 before.',
      ({ lastSuccess }) => (lastSuccess === undefined ? 0 : Date.parse(lastSuccess.time) / 1000),
    ],
  ] as const satisfies readonly Reading[];
  for (const [name, help, read] of counters) addReading(metrics, Counter, [`${name}_total`, help, read], statuses);
  for (const [name, help, read] of gauges) addReading(metrics, Gauge, [name, help, read], statuses);
  new Gauge({
    name: 'spanwarden_export_state',
    help: '1 for the state that a destination is in.',
    labelNames: ['destination', 'state'],
    registers: [metrics.registry],
    collect() {
      for (const { name: destination, state } of statuses())
        for (const each of states) this.set({ destination, state: each }, Number(each === state));
    },
  });
}

type Reading = readonly [name: string, help: string, read: (status: DestinationStatus) => number];

function addReading(
  metrics: Metrics,
  Kind: typeof Counter | typeof Gauge,
  [name, help, read]: Reading,
  statuses: () => readonly DestinationStatus[],
): void {
  new Kind({
    name: `spanwarden_export_${name}`,
    help,
    labelNames: ['destination'],
    registers: [metrics.registry],
    collect() {
      this.reset();
      for (const status of statuses()) this.inc({ destination: status.name }, read(status));
    },
  });
}
