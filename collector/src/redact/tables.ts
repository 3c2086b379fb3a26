import { join, resolve } from 'node:path';
import type { FieldTable } from '../model/fields.ts';
import type { RedactionProfile, Redactor } from '../model/redaction.ts';
import type { RedactConfig } from './config.ts';
import { redactionKey } from './key.ts';
import { createRedactor } from './row-redactor.ts';
import { TakenValues } from './taken-values.ts';

/** A redactor for each table whose profile is not `off`. */
export interface TableRedactors {
  readonly otel_traces: Redactor | undefined;
  /** The profile of spans: log records hold the same contents. */
  readonly otel_logs: Redactor | undefined;
  readonly otel_metrics: Redactor | undefined;
  readonly findings: Redactor | undefined;
  readonly cases: Redactor | undefined;
  readonly all: readonly Redactor[];
}

/**
 * The redactors that the config asks for, under one key, so that equal values have equal placeholders in all tables. Throws
 * SpanwardenError SW_DATA_DIR when the key cannot be read or made.
 */
export function tableRedactors(config: RedactConfig, dataDir: string, fields: FieldTable): TableRedactors {
  const profileOf = (table: keyof RedactConfig['tables']): RedactionProfile => config.tables[table] ?? config.profile;
  const profiles = (['otel_traces', 'otel_logs', 'otel_metrics', 'findings', 'cases'] as const).map(profileOf);
  if (profiles.every((profile) => profile === 'off')) {
    const none = { otel_traces: undefined, otel_logs: undefined, otel_metrics: undefined };
    return { ...none, findings: undefined, cases: undefined, all: [] };
  }
  const key =
    config.key_file === undefined
      ? redactionKey(join(dataDir, 'redaction.key'), true)
      : redactionKey(resolve(config.key_file), false);
  const taken = new TakenValues();
  const [traces, logs, points, findings, cases] = profiles.map((profile) =>
    createRedactor({ profile, key, fields, taken }),
  );
  const all = [traces, logs, points, findings, cases].filter((each) => each !== undefined);
  return { otel_traces: traces, otel_logs: logs, otel_metrics: points, findings, cases, all };
}
