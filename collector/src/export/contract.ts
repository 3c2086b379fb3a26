import type { z } from 'zod';
import type { ExportEvent } from '../model/export-event.ts';
import type { TeeRequest } from '../model/tee-request.ts';

/** What delivery brings to a receiver. */
export type Deliverable = ExportEvent | TeeRequest;

/** What formats may know beside the event. */
export interface FormatContext {
  /** Of the program that writes. */
  readonly product: { readonly vendor: string; readonly name: string; readonly version: string };
  /** The name of the machine or instance, for `host` and HOSTNAME. */
  readonly host: string;
  /** Bytes that a body may have at most; longer texts in it are cut, with a mark, until it fits. */
  readonly bytesMax: number;
  /** Fields that the user wants added, placeholders filled in; names match `^[A-Za-z][A-Za-z0-9_.]{0,63}$`. */
  extraFields(event: ExportEvent): Readonly<Record<string, string>>;
  /** Where people can look at the event (Grafana), '' when nobody said. */
  link(event: ExportEvent): string;
}

/**
 * An event in the words of a receiver: a pure function, same event, same bytes. All texts of the event are hostile: whatever they
 * hold must not end the field, the line or the document that they stand in.
 */
export interface Format {
  readonly contentType: string;
  /** One document or one line, without a newline at its end. At most `context.bytesMax` bytes of UTF-8. */
  encode(event: ExportEvent, context: FormatContext): string;
}

/** An event that is ready to be sent. */
export interface EncodedEvent<Event extends Deliverable = ExportEvent> {
  readonly event: Event;
  readonly body: Buffer;
}

/** What one request may hold. */
export interface BatchLimits<Event extends Deliverable = ExportEvent> {
  readonly eventsMax: number;
  /** Sum of the bodies, `overheadBytes` for each included, before compression. */
  readonly bytesMax: number;
  /** What the protocol puts around each body. */
  readonly overheadBytes: number;
  /**
   * For receivers where a batch becomes an object of its own: what events must have in common to be in the same one. Cut by it, batches are
   * the same ones after a restart, and none is sent in halves unless the receiver refuses it: halves would be objects beside the whole,
   * which may be there although its answer was lost.
   */
  readonly partitionOf?: (event: Event) => string;
}

/**
 * How sending a batch ended; classified by the destination, at the edge, once.
 *
 * - `delivered`: the receiver has it, as far as its protocol can say, except for the events named in `refused`, which it will
 *   never take, and in `again`, which are sent once more. Numbers are places in the batch. Some
 *   protocols say only how many records the receiver did not take and does not want again: `rejected`.
 * - `retryable`: nothing of it may be taken as delivered; the same again later.
 * - `too_large`: the receiver wants less at once: sent again in halves. A single event that is too large is refused.
 * - `refused`: the receiver will never take this batch, because of what is in it: sent again in halves, to find the event.
 * - `misconfigured`: token, URL, right or certificate are wrong. Not the events' fault: they wait, and everybody is told.
 */
export type SendOutcome =
  | {
      readonly status: 'delivered';
      /** What the receiver said, for people; at most a few hundred characters, one line. */
      readonly answer: string;
      readonly refused?: readonly { readonly index: number; readonly reason: string }[];
      readonly again?: readonly number[];
      readonly rejected?: number;
      readonly retryAfterMs?: number;
    }
  | { readonly status: 'retryable'; readonly reason: string; readonly retryAfterMs?: number }
  | { readonly status: 'too_large' | 'refused' | 'misconfigured'; readonly reason: string };

/** Where events go. Knows its protocol; knows nothing of cursors, retries or dead letters. */
export interface Destination<Event extends Deliverable = ExportEvent> {
  readonly limits: BatchLimits<Event>;
  /** One event as it goes over the wire. Never throws. */
  encode(event: Event): Buffer;
  /** Whether two events may go in one request; all may unless it says otherwise. */
  mayJoin?(one: Event, other: Event): boolean;
  /**
   * Sends a batch within `limits`, in order. Never rejects; ends soon after the signal aborts, with `retryable`. Called again only when
   * the call before has ended, unless `concurrency` of the config is more than 1.
   */
  send(batch: readonly EncodedEvent<Event>[], signal: AbortSignal): Promise<SendOutcome>;
  /** Gives sockets and files back. */
  close(): Promise<void>;
}

/** What a destination gets when it is opened. */
export interface DestinationContext extends FormatContext {
  /** The name in the config. */
  readonly name: string;
  /** Addresses that requests may not go to, in addition to what the config allows; see `export.deny_private_addresses`. */
  readonly denyPrivateAddresses: boolean;
  /** Milliseconds that an event waits for others; `batch.linger_ms`. */
  readonly lingerMs: number;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** How requests are filled. */
export interface Batching {
  readonly eventsMax: number;
  /** Sum of the bodies. */
  readonly bytesMax: number;
  readonly lingerMs: number;
}

/**
 * A kind of destination: `type` in the config, the settings that are its own, and how it is opened. Opening touches no network: a receiver that
 * is down is no reason not to start. Throws a SpanwardenError for what only the machine can say (a file that cannot be read).
 */
export interface DestinationType<Name extends string = string, Schema extends z.ZodObject = z.ZodObject> {
  readonly type: Name;
  /** A strict object with `type: z.literal(<type>)` and described settings; secrets are `Secret`s. */
  readonly schema: Schema;
  /** What it gets unless the config says otherwise: everything for a SIEM, cases alone for people. */
  readonly eventsDefault: readonly ExportEvent['kind'][];
  /** How its requests are filled unless the config says otherwise, where that is not as for most. */
  readonly batchDefault?: Batching;
  open(config: z.infer<Schema>, context: DestinationContext): Destination | Promise<Destination>;
}
