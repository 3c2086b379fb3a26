import { createHash } from 'node:crypto';
import type { Destination, DestinationContext, EncodedEvent } from '../contract.ts';
import { httpClient } from '../http/config.ts';
import { httpDestination } from '../http/destination.ts';
import { addressOf } from './address.ts';
import { outcomeOf } from './answers.ts';
import { credentialsOf, type S3Config, secretsIn } from './config.ts';
import type { Contents } from './contents.ts';
import { signing } from './credentials.ts';
import { keyOf, type Layout, partitionOf } from './key.ts';

/** What a request may hold is for memory alone; S3 takes 5 GB. */
const eventsMax = 10_000;
const bytesMax = 32 * 1024 * 1024;

/**
 * Each batch becomes an object.
 * @param folderOf as in `Layout`
 * @throws SpanwardenError for files of `tls` that cannot be used.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
 */
export function objectDestination(
  config: S3Config,
  context: DestinationContext,
  folderOf: Layout['folderOf'],
  contents: Contents,
): Destination {
  const client = httpClient(config, context, secretsIn(config));
  const layout: Layout = { folderOf, extension: contents.extension, owner: context.name };
  const now = () => context.now();
  const encryption = encryptionHeaders(config);
  const keyFor = (batch: readonly EncodedEvent[]): string =>
    keyOf(
      batch.map(({ event }) => event),
      layout,
    );
  return httpDestination(client, {
    limits: {
      ...{ eventsMax, bytesMax, overheadBytes: 1 },
      partitionOf: ({ takenMs }) => partitionOf(takenMs, layout, context.lingerMs),
    },
    encode: (event) => Buffer.from(contents.format.encode(event, context)),
    request: async (batch) => {
      const body = await contents.pack(batch);
      return {
        method: 'PUT',
        url: addressOf(config, keyFor(batch)),
        headers: {
          'content-type': contents.contentType,
          // S3 compares it with what arrived, keeps it with the object, and wants it where objects are locked.
          'x-amz-checksum-sha256': createHash('sha256').update(body).digest('base64'),
          ...encryption,
        },
        body,
        // The object is what is packed, and what is signed.
        gzip: false,
      };
    },
    access: signing(credentialsOf(config, { client, now }), { service: 's3', region: config.region }, now),
    outcome: (answer, batch) => {
      const outcome = outcomeOf(answer, now());
      if (outcome.status !== 'delivered') return outcome;
      return { status: 'delivered', answer: answer.show(`HTTP ${answer.code}: ${keyFor(batch)}`) };
    },
  });
}

function encryptionHeaders({ server_side_encryption: encryption, kms_key_id: key }: S3Config): Record<string, string> {
  return {
    ...(encryption !== undefined && { 'x-amz-server-side-encryption': encryption }),
    ...(key !== undefined && { 'x-amz-server-side-encryption-aws-kms-key-id': key }),
  };
}
