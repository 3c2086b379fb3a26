import { z } from 'zod';
import { limits } from '../model/limits.ts';
import type { SpoolOptions } from './contract.ts';

const mebibyte = 1024 * 1024;

/** Section `spool:` of the config: the disk buffer where the acknowledgement happens. */
export const spoolConfigSchema = z
  .strictObject({
    segment_bytes_max: z
      .int()
      .min(64 * 1024)
      .max(512 * mebibyte)
      .default(limits.spoolSegmentBytesMax)
      .describe(
        'Bytes after which a segment is sealed and inserted into ClickHouse as one INSERT. Default 16 MiB. ' +
          'Larger segments mean fewer, larger inserts and more memory per insert.',
      ),
    segment_age_max_ms: z
      .int()
      .min(10)
      .max(3_600_000)
      .default(1000)
      .describe(
        'Milliseconds after which a segment is sealed even when it is small, unless others still wait for ClickHouse. Default 1000. ' +
          'It bounds how late a span shows in ClickHouse; smaller values mean more, smaller inserts.',
      ),
    bytes_max: z
      .int()
      .min(16 * mebibyte)
      .default(limits.spoolBytesMax)
      .describe(
        'Bytes the spool directory may take on disk, without what is kept for tees (tee.bytes_max). Default 8 GiB. ' +
          'While ClickHouse is away the spool fills; when it is full, senders get 503 with Retry-After and nothing is lost.',
      ),
    reserve_bytes: z
      .int()
      .min(0)
      .max(4096 * mebibyte)
      .default(limits.spoolReserveBytes)
      .describe(
        'Bytes of disk space kept in a file. Default 32 MiB; 0 for none. When the disk is full the file is deleted, so that ' +
          'the embedded ClickHouse and the spool can go on draining; senders get 503 until the space is there again.',
      ),
    grace_ms: z
      .int()
      .min(0)
      .max(86_400_000)
      .default(600_000)
      .describe(
        'Milliseconds for which inserted segments are kept and resent batches are recognised. Default 600000 (10 min). ' +
          'Longer keeps more disk in use, at most an eighth of bytes_max.',
      ),
    resent_spans_max: resentMax('Spans', 'A span'),
    resent_log_records_max: resentMax('Log records', 'A record'),
    resent_data_points_max: resentMax('Data points of metrics', 'A point'),
    pending_bytes_max: z
      .int()
      .min(mebibyte)
      .max(1024 * mebibyte)
      .optional()
      .describe(
        'Bytes that may wait in memory for their fsync. Default an eighth of limits.memory, at most 64 MiB. Past it senders get 503 with Retry-After.',
      ),
  })
  .refine((spool) => spool.bytes_max >= 4 * spool.segment_bytes_max, {
    path: ['bytes_max'],
    error:
      'must be at least four times segment_bytes_max, so that the spool can hold sealed segments beside the open one',
  })
  .prefault({})
  .describe('The disk buffer between detection and ClickHouse; a batch is acknowledged when it is fsynced here.');

function resentMax(records: string, record: string) {
  return z
    .int()
    .min(0)
    .max(limits.resentRecordsMax)
    .default(limits.resentRecordsMax)
    .describe(
      `${records}, the newest ones, that are recognised when they come again in another batch. Default 262144, at 16 bytes of ` +
        `memory each; 0 recognises only whole batches. ${record} that comes again after more others than that is stored twice.`,
    );
}

export type SpoolConfig = z.infer<typeof spoolConfigSchema>;

/** What the config says, as options for `openSpool`. */
export function spoolOptions(
  config: SpoolConfig,
  directory: string,
  pendingBytesMax: number = limits.spoolPendingBytesMax,
): SpoolOptions {
  return {
    directory,
    segmentBytesMax: config.segment_bytes_max,
    segmentAgeMaxMs: config.segment_age_max_ms,
    bytesMax: config.bytes_max,
    graceMs: config.grace_ms,
    reserveBytes: config.reserve_bytes,
    pendingBytesMax: config.pending_bytes_max ?? pendingBytesMax,
  };
}
