import { findingsColumns } from '../../store/rows/findings.ts';

/** What ClickHouse would show of a finding with FINAL, as far as restarts could change it. */
export interface StoredFinding {
  readonly version: bigint;
  readonly shown: string;
}

/** Takes RowBinary rows of the table `findings` in; of each finding the newest version stays. */
export function readFindings(bytes: Buffer, into: Map<string, StoredFinding>): void {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  const text = (): string => {
    const length = varint();
    at += length;
    return bytes.toString('utf8', at - length, at);
  };
  const read = (column: string): unknown => {
    if (column === 'Severity') return bytes[at++];
    if (['Timestamp', 'Version', 'Count', 'LastSeen'].includes(column)) {
      at += 8;
      return bytes.readBigInt64LE(at - 8);
    }
    if (column === 'Tags' || column.startsWith('Evidence.')) return Array.from({ length: varint() }, text);
    return text();
  };
  while (at < bytes.length) {
    const row = Object.fromEntries(findingsColumns.map((column) => [column, read(column)]));
    const { FindingId: id, Version: version, ...rest } = row as { FindingId: string; Version: bigint };
    if ((into.get(id)?.version ?? -1n) > version) continue;
    into.set(id, {
      version,
      shown: JSON.stringify(rest, (_, value) => (typeof value === 'bigint' ? `${value}` : value)),
    });
  }
}
