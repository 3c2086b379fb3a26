import { Counter } from 'prom-client';
import type { Metrics } from './metrics.ts';
import type { Access } from './receive/access.ts';

/** Requests by token. Names are those of the token file; tokens that are gone take their numbers with them. */
export function addAccessGauges({ registry }: Metrics, access: Access): void {
  new Counter({
    name: 'spanwarden_receive_token_requests_total',
    help: 'Requests by the token they gave: accepted, limited, expired; without one that is known: missing, unknown.',
    labelNames: ['token', 'tenant', 'outcome'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { token, tenant, counts } of access.counts()) {
        for (const [outcome, number] of Object.entries(counts)) this.inc({ token, tenant, outcome }, number);
      }
    },
  });
}
