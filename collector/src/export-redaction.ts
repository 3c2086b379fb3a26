import { join, resolve } from 'node:path';
import type { Config } from './config/schema.ts';
import type { ExportEvent } from './model/export-event.ts';
import type { FieldTable } from './model/fields.ts';
import { type RedactionProfile, type Redactor, redactionProfiles } from './model/redaction.ts';
import { redactionKey } from './redact/key.ts';
import { redactedCases, redactedFindings } from './redact/records.ts';
import { createRedactor } from './redact/row-redactor.ts';

/**
 * Takes out of an event, which is as it is stored, what a destination's profile forbids beyond that; with the key of the tables, so that
 * equal values have equal placeholders everywhere. Throws a SpanwardenError SW_DATA_DIR when the key cannot be read or made. Only the
 * collector may make it, for a key that a command makes may belong to another user; without that, it is read when it is needed.
 */
export function exportRedaction(
  { redact, export: { destinations } }: Config,
  dataDir: string,
  fields: FieldTable,
  mayMakeKey: boolean,
): (event: ExportEvent, profile: RedactionProfile) => ExportEvent {
  const redactors = new Map<RedactionProfile, Redactor | undefined>();
  const redactorOf = (profile: RedactionProfile): Redactor | undefined => {
    if (!redactors.has(profile)) redactors.set(profile, createRedactor({ profile, key: keyOf(), fields }));
    return redactors.get(profile);
  };
  const keyOf = (): Buffer =>
    redact.key_file === undefined
      ? redactionKey(join(dataDir, 'redaction.key'), mayMakeKey)
      : redactionKey(resolve(redact.key_file), false);
  if (mayMakeKey) for (const { redact: profile } of Object.values(destinations)) if (profile) redactorOf(profile);
  return (event, profile) => {
    const table = event.kind === 'finding' ? 'findings' : 'cases';
    const stored = redact.tables[table] ?? redact.profile;
    // What is stored has been through this profile already.
    if (redactionProfiles.indexOf(profile) <= redactionProfiles.indexOf(stored)) return event;
    const redactor = redactorOf(profile);
    if (event.kind === 'finding') return { ...event, finding: redactedFindings([event.finding], redactor)[0]! };
    return { ...event, case: redactedCases([event.case], redactor)[0]! };
  };
}
