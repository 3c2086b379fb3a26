import { segmentSequenceMax } from './format.ts';

/** `<sequence, 16 digits>-<salt, 8 hex digits>.seg` while unsent, `.sent` after: names sort by age. */
export interface SegmentName {
  readonly sequence: number;
  readonly salt: string;
  readonly kind: 'seg' | 'sent';
}

export function segmentFileName({ sequence, salt, kind }: SegmentName): string {
  return `${stem(sequence, salt)}.${kind}`;
}

/** The segment that a file holds, or undefined when the name is not a segment's. */
export function parseSegmentName(name: string): SegmentName | undefined {
  const match = /^(\d{16})-([0-9a-f]{8})\.(seg|sent)$/.exec(name);
  if (!match) return undefined;
  const sequence = Number(match[1]);
  return sequence <= segmentSequenceMax ? { sequence, salt: match[2]!, kind: match[3] as 'seg' | 'sent' } : undefined;
}

/** The id that ClickHouse's deduplication token is made of. */
export function segmentId(spoolId: string, { sequence, salt }: { sequence: number; salt: string }): string {
  return `${spoolId}-${stem(sequence, salt)}`;
}

/** The sequence in the name of a file that was set aside (`<segment id>.…`), or -1. */
export function setAsideSequence(name: string): number {
  const match = /^[0-9a-f]{16}-(\d{16})-[0-9a-f]{8}\./.exec(name);
  const sequence = match ? Number(match[1]) : -1;
  return sequence <= segmentSequenceMax ? sequence : -1;
}

function stem(sequence: number, salt: string): string {
  return `${String(sequence).padStart(16, '0')}-${salt}`;
}
