import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { EncodedEvent, Format, FormatContext } from '../contract.ts';
import { openFormat } from '../formats/index.ts';
import type { OcsfVersion } from '../formats/ocsf-version.ts';
import { joined } from '../http/destination.ts';
import { ocsfColumns } from '../parquet/ocsf-columns.ts';
import { parquetOf } from '../parquet/write.ts';

const compress = promisify(gzip);

/** What stands in objects. */
export interface Contents {
  /** Of an event by itself. */
  readonly format: Format;
  readonly contentType: string;
  /** What the names of objects end in. */
  readonly extension: string;
  /** The object of a batch: same events, same bytes. */
  pack(batch: readonly EncodedEvent[]): Buffer | Promise<Buffer>;
}

/** A document a line, compressed. */
export function ndjson(format: Format): Contents {
  return {
    format,
    // Not as an encoding of something else, which some readers undo and others do not: the object is what its name says.
    contentType: 'application/gzip',
    extension: '.ndjson.gz',
    pack: (batch) => compress(joined(batch, '', '\n', '\n')),
  };
}

/** Rows of OCSF in order of time. */
export function parquet(ocsfVersion: OcsfVersion, { product }: FormatContext): Contents {
  const columns = ocsfColumns(ocsfVersion);
  return {
    format: openFormat('ocsf', { ocsfVersion }),
    contentType: 'application/vnd.apache.parquet',
    extension: '.parquet',
    pack: (batch) => {
      const inOrder = batch.toSorted((a, b) => a.event.takenMs - b.event.takenMs);
      const rows = inOrder.map(({ body }) => body);
      return parquetOf(rows, columns, `${product.name} ${product.version}`);
    },
  };
}
