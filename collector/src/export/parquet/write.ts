import { zstdCompressSync } from 'node:zlib';
import { ByteWriter, parquetWrite } from 'hyparquet-writer';
import { rowOf, type Shapes, schemaOf } from './shape.ts';

/** Bytes of a page before compression. Security Lake wants at most 1 MB; a page ends behind the row that fills it. */
const pageBytes = 512 * 1024;

/**
 * A Parquet file of one row group, compressed with Zstandard: same rows, same bytes.
 * @param rows objects as JSON.
 */
export function parquetOf(rows: readonly Buffer[], shapes: Shapes, createdBy: string): Buffer {
  const read = rows.map((row) => rowOf(shapes, JSON.parse(row.toString())));
  const writer = new ByteWriter();
  void parquetWrite({
    writer,
    schema: schemaOf(shapes),
    columnData: Object.keys(shapes).map((name) => ({ name, data: read.map((row) => row?.[name] ?? null) })),
    codec: 'ZSTD',
    compressors: { ZSTD: (bytes) => zstdCompressSync(bytes) },
    rowGroupSize: Math.max(1, rows.length),
    pageSize: pageBytes,
    dictionarySize: pageBytes,
    createdBy,
  });
  return Buffer.from(writer.getBytes());
}
