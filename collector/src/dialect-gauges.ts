import type { Metrics } from './metrics.ts';
import type { DialectFaults } from './normalise/span-events.ts';

/** What could not be taken from spans of other dialects. */
export function addDialectGauges(metrics: Metrics, faults: () => DialectFaults): void {
  const add = metrics.gauge;
  add(
    'spanwarden_normalise_malformed_values',
    'Values of other dialects that have no form of their canonical attribute.',
    () => faults().malformedValues,
  );
  add('spanwarden_normalise_dropped_keys', 'Indexed keys that could not be put together.', () => faults().droppedKeys);
  add(
    'spanwarden_normalise_failed_readings',
    'Fields of other dialects whose reading failed: a fault of the collector.',
    () => faults().failedReadings,
  );
}
