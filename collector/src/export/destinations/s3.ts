import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { z } from 'zod';
import type { DestinationType } from '../contract.ts';
import { joined } from '../http/destination.ts';
import { ocsfColumns } from '../parquet/ocsf-columns.ts';
import { parquetOf } from '../parquet/write.ts';
import { s3Settings } from '../s3/config.ts';
import { type Contents, objectDestination } from '../s3/object-store.ts';
import { formatOf, formatSettings } from './format-settings.ts';

const compress = promisify(gzip);

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
    const isParquet = config.encoding === 'parquet';
    const layout = {
      folderOf: (takenMs: number) => `${config.prefix}${folderOf(takenMs)}`,
      extension: isParquet ? '.parquet' : `.ndjson.gz`,
      owner: context.name,
    };
    const columns = ocsfColumns(config.ocsf_version);
    const { name, version } = context.product;
    const contents: Contents = isParquet
      ? {
          format: formatOf(config),
          contentType: 'application/vnd.apache.parquet',
          pack: (batch) =>
            parquetOf(
              batch.map(({ body }) => body),
              columns,
              `${name} ${version}`,
            ),
        }
      : {
          format: formatOf(config),
          // Not as an encoding of something else, which some readers undo and others do not: the object is what its name says.
          contentType: 'application/gzip',
          pack: (batch) => compress(joined(batch, '', '\n', '\n')),
        };
    return objectDestination(config, context, layout, contents);
  },
};

/** `dt=2026-11-28/hour=10/`, in UTC. */
function folderOf(takenMs: number): string {
  const [day = '', time = ''] = new Date(takenMs).toISOString().split('T');
  return `dt=${day}/hour=${time.slice(0, 2)}/`;
}
