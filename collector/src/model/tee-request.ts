/** The signals of OTLP, as requests of each are told apart. */
export const teeSignals = ['traces', 'logs', 'metrics'] as const;

export type TeeSignal = (typeof teeSignals)[number];

/**
 * Says of a request how many tees it came through, as a header or in gRPC's metadata. One that came through too many goes no further,
 * should they be in a circle.
 */
export const hopsHeader = 'spanwarden-hops';

/** A request on its way to another receiver, as its sender wrote it. */
export interface TeeRequest {
  readonly kind: 'request';
  /** Its position in the spool. */
  readonly id: string;
  readonly orderKey: string;
  /** When the collector took it in, milliseconds since the epoch. */
  readonly takenMs: number;
  readonly signal: TeeSignal;
  readonly encoding: 'protobuf' | 'json';
  /** How many tees it came through before. */
  readonly hops: number;
  /** Spans, log records or data points in it. */
  readonly records: number;
  readonly bytes: Buffer;
}
