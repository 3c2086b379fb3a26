import type { FieldId } from './fields.ts';

/** What of a span, finding or case is taken out before it is stored. */
export const redactionProfiles = ['off', 'secrets', 'secrets_and_pii', 'metadata_only'] as const;

export type RedactionProfile = (typeof redactionProfiles)[number];

/** Of a batch what redaction needs. */
export interface RedactedBatch {
  readonly bytes: Buffer;
  text(start: number, length: number): string;
}

/** Takes out of rows what their table's profile forbids. Rules have seen the clear text by then. */
export interface Redactor {
  /** Grows with every value that was replaced. */
  readonly replaced: number;
  /** Looks through a batch once; `value` and `plain` then know which values need a closer look. */
  begin(batch: RedactedBatch): void;
  /** What to store in place of the text value of an attribute of the batch; undefined when its bytes stay as they are. */
  value(field: FieldId, start: number, length: number): string | undefined;
  /** The same for a text of the batch that is no attribute: span name, status message, event name. */
  plain(start: number, length: number): string | undefined;
  /** A text as it may be stored; `name` is the attribute or fact that it is the value of. */
  text(text: string, name?: string): string;
  /** The same for a text that was worked out from others, so that of a secret in it nothing may be left that tells it is one. */
  derived(text: string, name?: string): string;
  /** What comes next is of another span. */
  turn(): void;
  /** Whether something was taken out since then, of which facts may hold more. */
  readonly hasTaken: boolean;
  /** The name of an attribute as RowBinary, when it must not be stored as it is. */
  name(field: FieldId): Uint8Array | undefined;
}
