import { z } from 'zod';
import type { DestinationType } from '../contract.ts';
import { credentialsError, hasWholeCredentials, s3Settings } from '../s3/config.ts';
import { parquet } from '../s3/contents.ts';
import { objectDestination } from '../s3/object-store.ts';

const schema = z
  .strictObject({
    type: z.literal('security_lake'),
    source: z
      .string()
      .regex(/^\w[\w:.-]{0,63}(\/\w[\w.-]{0,31})?$/, 'must be the name of a custom source')
      .default('spanwarden')
      .describe(
        'Name of the custom source, which its folder in the bucket has as well; with a slash and its version where the folder has one. ' +
          'Default spanwarden.',
      ),
    account_id: z
      .string()
      .regex(/^(\d{12}|external(_[\w-]{1,64})?)$/, 'must be 12 digits (in quotes), external, or external_ and a name')
      .describe(
        'Account that the findings are about: twelve digits in quotes; external or external_<name> outside of AWS.',
      ),
    ...s3Settings,
  })
  .refine(hasWholeCredentials, credentialsError);

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
    const folder = `ext/${source}/region=${region}/accountId=${account}`;
    const folderOf = (takenMs: number): string => `${folder}/eventDay=${dayOf(takenMs)}/`;
    return objectDestination(config, context, folderOf, parquet(ocsfVersion, context));
  },
};

/** `20261128`, in UTC. */
function dayOf(takenMs: number): string {
  return new Date(takenMs).toISOString().slice(0, 10).replaceAll('-', '');
}
