import { z } from 'zod';
import { limits } from '../../model/limits.ts';
import { teeSignals } from '../../model/tee-request.ts';
import { headersSetting, httpSettings, urlSetting } from '../http/config.ts';

const mebibyte = 1024 * 1024;
const hourMs = 3_600_000;

const batchSchema = z
  .strictObject({
    requests: z
      .int()
      .min(1)
      .max(limits.teeBatchRequestsMax)
      .default(100)
      .describe('Requests that are put together into one at most. Default 100; with 1 each goes out as it came in.'),
    bytes: z
      .int()
      .min(1024)
      .max(limits.exportBatchBytesMax)
      .default(mebibyte)
      .describe(
        'Bytes up to which requests are put together, before compression. Default 1 MiB. A larger one goes alone.',
      ),
    linger_ms: z
      .int()
      .min(0)
      .max(60_000)
      .default(200)
      .describe('Milliseconds that a request waits for others to go with it. Default 200.'),
  })
  .prefault({})
  .describe('How requests in protobuf are put together: one behind the other, not a byte of them changes.');

const destinationSchema = z
  .strictObject({
    endpoint: urlSetting('https://cloud.langfuse.com/api/public/otel').describe(
      'Where to send to over OTLP/HTTP, without the path of the signal: /v1/traces, /v1/logs or /v1/metrics is added.',
    ),
    headers: headersSetting()
      .default({})
      .describe(
        'Headers of each request, such as authorization: Bearer …. Default none. Write secrets as ${env:NAME}.',
      ),
    signals: z
      .array(z.enum(teeSignals))
      .min(1)
      .default(['traces'])
      .describe('What is sent on: traces, logs, metrics. Default [traces].'),
    contents: z
      .literal('as_sent')
      .optional()
      .describe(
        'as_sent says that you know that secrets and personal data go out as they came in, though redact takes them out of what is ' +
          'stored. Needed unless redaction is off for all signals of the tee. Default none.',
      ),
    services: z
      .array(z.string().min(1).max(256))
      .min(1)
      .max(256)
      .optional()
      .describe('Names of services (service.name) whose records are sent; `*` stands for anything. Default all.'),
    json: z
      .enum(['as_sent', 'protobuf'])
      .default('as_sent')
      .describe(
        'What becomes of requests in JSON: sent on as they are (as_sent, default), or as protobuf, for receivers that take nothing ' +
          'else; fields that OTLP does not have are left out then. With services they always become protobuf.',
      ),
    compression: z.enum(['gzip', 'none']).default('gzip').describe('Compression of requests: gzip (default) or none.'),
    concurrency: z
      .int()
      .min(1)
      .max(limits.exportConcurrencyMax)
      .default(1)
      .describe('Requests at once, of each signal. Default 1. With more they may arrive in another order.'),
    batch: batchSchema,
    ...httpSettings,
    deny_private_addresses: z
      .boolean()
      .optional()
      .describe('As export.deny_private_addresses, for this tee alone. Default: as there.'),
  })
  .describe('A receiver of OTLP that gets what the collector takes in.');

/** Section `tee:` of the config: where requests go on to, as they came. */
export const teeConfigSchema = z
  .strictObject({
    bytes_max: z
      .int()
      .min(64 * mebibyte)
      .default(limits.teeHeldBytesMax)
      .describe(
        'Bytes of the spool that are kept for tees that are behind, beyond spool.bytes_max. Default 4 GiB. Past it the oldest go, which is ' +
          'counted and warned of. Rows lie there beside the requests, so that about half of it are requests.',
      ),
    age_max_ms: z
      .int()
      .min(60_000)
      .max(90 * 24 * hourMs)
      .default(72 * hourMs)
      .describe('Milliseconds after which what a tee has not taken is given up. Default 259200000 (3 days).'),
    destinations: z
      .record(
        z.string().regex(/^[a-z][a-z0-9_-]{0,31}$/, 'a name must be 1 to 32 of a-z 0-9 _ - and begin with a letter'),
        destinationSchema,
      )
      .refine((all) => Object.keys(all).length <= limits.teesMax, { error: `at most ${limits.teesMax} tees` })
      .default({})
      .describe(
        'Receivers by name, which no destination of export may have. The name is that of the cursor in data_dir/export: under another name a tee ' +
          'begins anew, with what comes in from then on. Default none.',
      ),
  })
  .prefault({})
  .describe('Spans, logs and metrics sent on as they came: at least once, each receiver for itself; see docs/tee.md.');

export type TeeConfig = z.infer<typeof teeConfigSchema>;
export type TeeDestinationConfig = z.infer<typeof destinationSchema>;
