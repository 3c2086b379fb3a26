import type { Outcome } from './model/outcome.ts';
import type { Original, Rows } from './model/spool.ts';

/** The spool as the pipeline needs it. */
export interface DurableLog {
  committed(digest: Uint8Array): Promise<Outcome> | undefined;
  /** Why so many bytes would be refused at once. */
  refusal(bytes: number): Outcome | undefined;
  append(record: {
    digest: Uint8Array;
    rows: Rows[];
    journal: Uint8Array;
    original?: Original | undefined;
  }): Promise<AppendOutcome>;
}

/** `duplicate`: nothing was written, because the record was there; `segment`: where it was written. */
type AppendOutcome = Outcome & { readonly duplicate?: boolean; readonly segment?: number };
