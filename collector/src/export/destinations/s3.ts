import { z } from 'zod';
import type { DestinationType } from '../contract.ts';
import { credentialsError, hasWholeCredentials, s3Settings } from '../s3/config.ts';
import { ndjson, parquet } from '../s3/contents.ts';
import { objectDestination } from '../s3/object-store.ts';
import { formatOf, formatSettings } from './format-settings.ts';

const schema = z
  .strictObject({
    type: z.literal('s3'),
    prefix: z
      .string()
      .regex(
        /^((?!\.\.?\/)[A-Za-z0-9!_.*'()=-]+\/)*$/,
        'must be empty or folders with a slash behind each, such as security/agents/',
      )
      .max(512)
      .default('spanwarden/')
      .describe('What the keys of all objects begin with. Default spanwarden/. dt=<day>/hour=<hour>/ follows.'),
    encoding: z
      .enum(['ndjson', 'parquet'])
      .default('ndjson')
      .describe(
        'What objects are. ndjson (default): a JSON document a line, gzip. parquet: columns of OCSF, see docs/formats.md.',
      ),
    ...formatSettings(['json', 'ocsf', 'ecs', 'cloudevents', 'udm']),
    ...s3Settings,
  })
  .refine(hasWholeCredentials, credentialsError)
  .refine(({ encoding, format }) => encoding !== 'parquet' || format === 'ocsf', {
    path: ['format'],
    error: 'parquet has columns for OCSF alone: set format: ocsf',
  });

/** Objects in a bucket of Amazon S3 or of a server that understands its API. */
export const s3: DestinationType<'s3', typeof schema> = {
  type: 's3',
  schema,
  eventsDefault: ['finding', 'case'],
  batchDefault: { eventsMax: 1000, bytesMax: 8 * 1024 * 1024, lingerMs: 60_000 },
  open(config, context) {
    const contents = config.encoding === 'parquet' ? parquet(config.ocsf_version, context) : ndjson(formatOf(config));
    return objectDestination(config, context, (takenMs) => config.prefix + folderOf(takenMs), contents);
  },
};

/** `dt=2026-11-28/hour=10/`, in UTC. */
function folderOf(takenMs: number): string {
  const [day = '', time = ''] = new Date(takenMs).toISOString().split('T');
  return `dt=${day}/hour=${time.slice(0, 2)}/`;
}
