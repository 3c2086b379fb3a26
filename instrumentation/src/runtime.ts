import type { Tracer } from '@opentelemetry/api';
import { globalTracer } from './ambient.ts';
import { contentModeFrom } from './content.ts';
import type { ContentMode, PatchContext } from './patch.ts';
import { scopeName } from './semconv.ts';
import { version } from './version.ts';

let tracerSource: (() => Tracer) | undefined;
let mode: ContentMode | undefined;
const failures = new Map<string, number>();
const failuresMax = 100;

/**
 * What patches and the manual API run on. Without `register` the tracer is whatever the host registered, so the manual
 * API alone never loads an SDK.
 */
export const runtime: PatchContext = {
  tracer: () => tracerSource?.() ?? globalTracer(scopeName, version),
  get contentMode() {
    mode ??= contentModeFrom(process.env);
    return mode;
  },
  failed: recordFailure,
};

/** Where tracers come from from now on; `register` sets it. */
export function useTracerSource(source: () => Tracer): void {
  tracerSource = source;
}

/** Failures inside our own code by place, for `status()`. */
export function failureCounts(): Readonly<Record<string, number>> {
  return Object.fromEntries(failures);
}

/** Counts every failure and writes the first of each place to standard error, unless OTEL_LOG_LEVEL is NONE. */
function recordFailure(where: string, error: unknown): void {
  try {
    const seen = failures.get(where) ?? 0;
    if (seen === 0 && failures.size >= failuresMax) return;
    failures.set(where, seen + 1);
    if (seen === 0) warn(`${where} failed and was skipped; the application is not affected: ${String(error)}`);
  } catch {
    // Reporting is the last resort; nothing is left to report to.
  }
}

/** One line on standard error; never throws. */
export function warn(message: string): void {
  try {
    if (process.env.OTEL_LOG_LEVEL?.toUpperCase() !== 'NONE') process.stderr.write(`spanwarden: ${message}\n`);
  } catch {
    // A closed standard error must not reach the application.
  }
}
