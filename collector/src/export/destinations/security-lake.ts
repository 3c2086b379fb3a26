import { z } from 'zod';
import type { DestinationType } from '../contract.ts';
import { openFormat } from '../formats/index.ts';
import { ocsfColumns } from '../parquet/ocsf-columns.ts';
import { parquetOf } from '../parquet/write.ts';
import { s3Settings } from '../s3/config.ts';
import { objectDestination } from '../s3/object-store.ts';

const schema = z.strictObject({
  type: z.literal('security_lake'),
  source: z
    .string()
    .regex(/^[A-Za-z0-9][\w.-]{0,63}$/, 'must be the name of a custom source')
    .default('spanwarden')
    .describe('Name of the custom source, which the folder in the bucket has as well. Default spanwarden.'),
  account_id: z
    .string()
    .regex(/^(\d{12}|external(_[\w-]{1,64})?)$/, 'must be 12 digits (in quotes), external, or external_ and a name')
    .describe(
      'Account that the findings are about: twelve digits in quotes; external or external_<name> outside of AWS.',
    ),
  ...s3Settings,
});

/** What custom sources may be of: 1.3 and before. */
const ocsfVersion = '1.1';

/**
 * A custom source of Amazon Security Lake: Parquet in the folders that it demands, of one class, in order of time.
 * @see https://docs.aws.amazon.com/security-lake/latest/userguide/custom-sources.html
 */
export const securityLake: DestinationType<'security_lake', typeof schema> = {
  type: 'security_lake',
  schema,
  eventsDefault: ['finding', 'case'],
  // Objects should come every five minutes or less often.
  batchDefault: { eventsMax: 1000, bytesMax: 8 * 1024 * 1024, lingerMs: 300_000 },
  open(config, context) {
    const { source, region, account_id: account } = config;
    const { name, version } = context.product;
    const columns = ocsfColumns(ocsfVersion);
    const layout = {
      folderOf: (takenMs: number) => `ext/${source}/region=${region}/accountId=${account}/eventDay=${dayOf(takenMs)}/`,
      extension: '.parquet',
      owner: context.name,
    };
    return objectDestination(config, context, layout, {
      format: openFormat('ocsf', { ocsfVersion }),
      contentType: 'application/vnd.apache.parquet',
      pack: (batch) => {
        const inOrder = batch.toSorted((a, b) => a.event.takenMs - b.event.takenMs);
        return parquetOf(
          inOrder.map(({ body }) => body),
          columns,
          `${name} ${version}`,
        );
      },
    });
  },
};

/** `20261128`, in UTC. */
function dayOf(takenMs: number): string {
  return new Date(takenMs).toISOString().slice(0, 10).replaceAll('-', '');
}
