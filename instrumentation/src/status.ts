import type { HookedCopy } from './load/copies.ts';
import type { ContentMode } from './patch.ts';
import { exportStatus, type ProviderMode, providerMode } from './provider.ts';
import { failureCounts, runtime } from './runtime.ts';
import { version } from './version.ts';

/** What the instrumentation of this process does, for people and health checks. Silent blindness is the worst failure. */
export interface Status {
  readonly version: string;
  /** Whether `register` ran in this process. */
  readonly registered: boolean;
  readonly provider: ProviderMode;
  readonly contentMode: ContentMode;
  /** Counters of our exporter; undefined when spans go through the host's alone or none has started yet. */
  readonly export: ReturnType<typeof exportStatus>;
  /** Which methods were wrapped, in which copy of which package. */
  readonly hooks: readonly HookedCopy[];
  /** Failures inside our own code by place; the application never sees them. */
  readonly failures: Readonly<Record<string, number>>;
}

const published = Symbol.for('spanwarden.status');

/** Reports on this process, also when a second copy of this package asks. */
export function status(): Status {
  const source = (globalThis as unknown as Record<symbol, (() => Status) | undefined>)[published];
  return source ? source() : report(false, []);
}

/** Makes `status()` of every copy of this package answer with this one's state. */
export function publishStatus(hooks: () => readonly HookedCopy[]): void {
  (globalThis as unknown as Record<symbol, () => Status>)[published] = () => report(true, hooks());
}

function report(registered: boolean, hooks: readonly HookedCopy[]): Status {
  return {
    version,
    registered,
    provider: providerMode(),
    contentMode: runtime.contentMode,
    export: exportStatus(),
    hooks,
    failures: failureCounts(),
  };
}
