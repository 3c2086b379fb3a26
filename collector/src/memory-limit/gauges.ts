import { Counter, Gauge } from 'prom-client';
import type { Metrics } from '../metrics.ts';
import type { Admission } from '../receive/admission.ts';
import type { Connections } from '../receive/connections.ts';
import type { MemoryWatch } from './watch.ts';

export function addMemoryGauges(metrics: Metrics, watch: MemoryWatch, admission: Admission): void {
  const gauges = [
    ['limit_bytes', 'limits.memory.', () => watch.limitBytes],
    ['resident_bytes', 'Memory of the process, without that of the embedded ClickHouse.', () => watch.usage.rss],
    ['heap_bytes', 'Of that, objects in the heap.', () => watch.usage.heapUsed],
    ['buffer_bytes', 'Of that, buffers outside the heap.', () => watch.usage.arrayBuffers],
    ['collections', 'Garbage collections because memory was near the limit.', () => watch.collections],
  ] as const;
  for (const [name, help, read] of gauges) metrics.gauge(`spanwarden_memory_${name}`, help, read);
  metrics.gauge(
    'spanwarden_receive_held_bytes',
    'Bytes of requests under way, those announced included.',
    () => admission.heldBytes,
  );
  metrics.gauge(
    'spanwarden_receive_wait_seconds',
    'How long the requests that nobody has worked on yet would take.',
    () => admission.waitMs / 1000,
  );
  new Counter({
    name: 'spanwarden_receive_refused_requests_total',
    help: 'Requests answered 503: for bytes of requests under way, for the wait that was foreseen, for memory, or late, when they had waited for too long.',
    labelNames: ['reason'],
    registers: [metrics.registry],
    collect() {
      this.reset();
      for (const [reason, number] of Object.entries(admission.refused)) this.inc({ reason }, number);
    },
  });
}

export function addConnectionGauges(metrics: Metrics, connections: Connections): void {
  const registers = [metrics.registry];
  const labelNames = ['transport'];
  new Gauge({
    name: 'spanwarden_receive_connections',
    help: 'Open connections of senders.',
    ...{ labelNames, registers },
    collect() {
      for (const [transport, number] of Object.entries(connections.open)) this.set({ transport }, number);
    },
  });
  new Counter({
    name: 'spanwarden_receive_refused_connections_total',
    help: 'Connections closed at once because there were too many for the memory.',
    ...{ labelNames, registers },
    collect() {
      this.reset();
      for (const [transport, number] of Object.entries(connections.refused)) this.inc({ transport }, number);
    },
  });
}
