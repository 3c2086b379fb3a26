import { z } from 'zod';
import { redactionProfiles } from '../model/redaction.ts';

const profile = z.enum(redactionProfiles);

/** Section `redact:` of the config: what is taken out before anything is stored. */
export const redactConfigSchema = z
  .strictObject({
    profile: profile
      .default('secrets')
      .describe(
        'What is taken out of every table before it is stored; rules see the clear text. off: nothing. secrets (default): ' +
          'keys, tokens, passwords become [secret:kind:hash]. secrets_and_pii: also e-mail addresses, telephone, card and ' +
          'account numbers, as [pii:kind:hash]; costs more time. metadata_only: also all texts of messages, arguments, ' +
          'results, tool definitions and documents, as [content:bytes:hash]. What is not stored cannot be brought back.',
      ),
    tables: z
      .strictObject({
        otel_traces: profile.optional().describe('Profile of spans, their events, links and facts. Default: profile.'),
        otel_logs: profile.optional().describe('Profile of log records: bodies and attributes. Default: profile.'),
        otel_metrics: profile.optional().describe('Profile of metrics: their attributes. Default: profile.'),
        findings: profile.optional().describe('Profile of findings: evidence, group keys, names. Default: profile.'),
        cases: profile.optional().describe('Profile of cases: headline, timeline, names. Default: profile.'),
      })
      .prefault({})
      .describe('Profiles of single tables, where they differ from profile.'),
    key_file: z
      .string()
      .min(1)
      .optional()
      .describe(
        'File with the key of the hashes in placeholders, at least 16 bytes. Default redaction.key in data_dir, made with ' +
          'mode 600 when it is not there. Collectors that share a key give equal values equal placeholders; with a new key ' +
          'they no longer equal those stored before.',
      ),
  })
  .prefault({})
  .describe('Redaction before storage; see docs/redaction.md.');

export type RedactConfig = z.infer<typeof redactConfigSchema>;
