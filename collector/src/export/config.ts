import { z } from 'zod';
import { limits } from '../model/limits.ts';
import { redactionProfiles } from '../model/redaction.ts';
import { levels } from '../model/severity.ts';
import type { Batching, DestinationType } from './contract.ts';
import { destinationTypes } from './destinations/index.ts';
import { fieldNamePattern, templateProblem } from './fields.ts';

const patterns = z.array(z.string().min(1).max(256)).min(1).max(256);

/** What to ask of events; the same for what is wanted and what is not. */
const conditions = {
  tags: patterns
    .optional()
    .describe(
      'Tags of rules, such as attack.exfiltration or owasp.llm01; `*` stands for anything. Not asked of cases.',
    ),
  agents: patterns.optional().describe('Names of agents or services; of a case one of its agents is enough.'),
  rules: patterns.optional().describe('Ids or titles of rules; of a case one of its rules is enough.'),
};

const filterSchema = z
  .strictObject({
    level: z.enum(levels).optional().describe('Least level. Default informational.'),
    ...conditions,
    exclude: z.strictObject(conditions).optional().describe('Whatever fits one of these lists is not sent.'),
  })
  .optional()
  .describe('Which events are sent: those that fit every list that is there. Default all.');

const fieldsSchema = z
  .record(
    z
      .string()
      .regex(fieldNamePattern, 'the name of a field must be 1 to 64 of A-Z a-z 0-9 _ . and begin with a letter'),
    z
      .string()
      .max(limits.exportFieldCharsMax)
      .superRefine((template, context) => {
        const message = templateProblem(template);
        if (message !== undefined) context.addIssue({ code: 'custom', message });
      }),
  )
  .refine((fields) => Object.keys(fields).length <= limits.exportFieldsMax, {
    error: `at most ${limits.exportFieldsMax} fields`,
  })
  .optional()
  .describe(
    'Texts to add to each event, by name. They may hold {agent}, {rule_id}, {case_id}, {level} and others, see ' +
      'docs/export.md; `{{` stands for a plain brace.',
  );

const batchDefault: Batching = { eventsMax: 100, bytesMax: 1024 * 1024, lingerMs: 500 };

const batchSchema = z
  .strictObject({
    events: z
      .int()
      .min(1)
      .max(limits.exportBatchEventsMax)
      .optional()
      .describe(
        'Events of one request at most. Default 100, more where requests become objects; a receiver that takes fewer gets fewer.',
      ),
    bytes: z
      .int()
      .min(1024)
      .max(limits.exportBatchBytesMax)
      .optional()
      .describe(
        'Bytes of one request at most, before compression. Default 1 MiB, more where requests become objects; a receiver that takes ' +
          'less gets less.',
      ),
    linger_ms: z
      .int()
      .min(0)
      .max(limits.exportLingerMsMax)
      .optional()
      .describe(
        'Milliseconds that an event waits for others to go with it. Default 500, longer where requests become objects. Longer means ' +
          'fewer requests. Nothing waits where memory has no room for others.',
      ),
  })
  .optional()
  .describe('How events are put together into requests.');

/** Settings that every destination has; types have none of these names. */
export const commonSettings = {
  events: z
    .array(z.enum(['findings', 'cases']))
    .min(1)
    .optional()
    .describe('What is sent: findings, cases or both. Default: what suits the type, see docs/export.md.'),
  filter: filterSchema,
  redact: z
    .enum(redactionProfiles)
    .optional()
    .describe('Profile of redaction, as in redact.profile; at least as strict as what is stored. Default: as stored.'),
  fields: fieldsSchema,
  start: z
    .enum(['now', 'oldest'])
    .default('now')
    .describe(
      'Where a destination begins that has no cursor: now (default): with what comes in from then on; oldest: with the ' +
        'oldest that is kept.',
    ),
  concurrency: z
    .int()
    .min(1)
    .max(limits.exportConcurrencyMax)
    .default(1)
    .describe('Requests at once. Default 1. What is about one case stays in order with any number.'),
  batch: batchSchema,
  deny_private_addresses: z
    .boolean()
    .optional()
    .describe('As export.deny_private_addresses, for this destination alone. Default: as there.'),
};

const commonSchema = z.strictObject(commonSettings);

/** A destination as the config has it: the common settings, and those of its type, which know their own form. */
export type DestinationConfig = z.infer<typeof commonSchema> & { readonly type: string };

/** The type with this name, which the config has checked. */
export function destinationType(name: string): (typeof destinationTypes)[number] {
  const type = destinationTypes.find((each) => each.type === name);
  if (type === undefined) throw new Error(`no destination has the type ${name}`);
  return type;
}

/** What a destination is sent: what its config says, or what suits its type. */
export function eventsOf({ type, events }: DestinationConfig): readonly ('findings' | 'cases')[] {
  return events ?? destinationType(type).eventsDefault.map((kind) => (kind === 'finding' ? 'findings' : 'cases'));
}

/** How its requests are filled: what its config says, or what suits its type. */
export function batchingOf({ type, batch = {} }: DestinationConfig): Batching {
  const { batchDefault: preset = batchDefault }: DestinationType = destinationType(type) as never;
  return {
    eventsMax: batch.events ?? preset.eventsMax,
    bytesMax: batch.bytes ?? preset.bytesMax,
    lingerMs: batch.linger_ms ?? preset.lingerMs,
  };
}

/** What users write for each destination: what is common and what is of the type. */
const destinationSchema = z
  .discriminatedUnion('type', destinationTypes.map(withCommonSettings) as [z.ZodObject, ...z.ZodObject[]])
  .describe('A destination; `type` says which settings it has.') as unknown as z.ZodType<DestinationConfig>;

/** Keeps what the type demands of settings together. */
function withCommonSettings({ schema }: { readonly schema: z.ZodObject }): z.ZodObject {
  return schema.safeExtend(commonSettings);
}

/** Section `export:` of the config: where findings and cases go. */
export const exportConfigSchema = z
  .strictObject({
    host: z
      .string()
      .regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 visible ASCII characters')
      .optional()
      .describe('Name of this collector in what is sent. Default: the name of the machine.'),
    grafana_url: z
      .url({ protocol: /^https?$/, error: 'must be a URL such as https://grafana.example.com' })
      .optional()
      .describe("Where people reach Grafana: events then hold a link to Spanwarden's dashboard. Default none."),
    deny_private_addresses: z
      .boolean()
      .default(false)
      .describe(
        'Refuse to send to addresses of private networks, loopback and link-local ones, for where others may write the ' +
          'config. Default false.',
      ),
    destinations: z
      .record(
        z.string().regex(/^[a-z][a-z0-9_-]{0,31}$/, 'a name must be 1 to 32 of a-z 0-9 _ - and begin with a letter'),
        destinationSchema,
      )
      .refine((all) => Object.keys(all).length <= limits.exportDestinationsMax, {
        error: `at most ${limits.exportDestinationsMax} destinations`,
      })
      .default({})
      .describe(
        'Destinations by name. The name is that of the cursor in data_dir/export: under another name a destination begins ' +
          'anew. Default none.',
      ),
  })
  .prefault({})
  .describe('Findings and cases for other systems: at least once, each destination for itself; see docs/export.md.');

export type ExportConfig = z.infer<typeof exportConfigSchema>;
