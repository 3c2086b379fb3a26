import type { ErrorCode } from '../model/errors.ts';
import { limits } from '../model/limits.ts';
import type { Admission } from './admission.ts';
import type { Connections } from './connections.ts';
import type { TlsFiles } from './tls.ts';

export type Encoding = 'protobuf' | 'json';

export type Signal = 'traces' | 'metrics' | 'logs';

export const signals: readonly Signal[] = ['traces', 'metrics', 'logs'];

/** Where each signal is sent to over HTTP. */
export type HttpPaths = Readonly<Record<Signal, string>>;

export const defaultHttpPaths: HttpPaths = { traces: '/v1/traces', metrics: '/v1/metrics', logs: '/v1/logs' };

/** How handing a request on ended. `ok` means: on disk. */
export type OtlpOutcome =
  | { readonly status: 'ok'; readonly rejected: number; readonly message: string }
  | Refusal
  | { readonly status: 'retryable'; readonly code: ErrorCode; readonly message: string; readonly retryAfterMs: number };

/** What is answered to a request that was not taken. */
export type Failure = Exclude<OtlpOutcome, { status: 'ok' }>;

/** Sending the same again cannot help. */
export interface Refusal {
  readonly status: 'refused';
  readonly code: ErrorCode;
  readonly message: string;
}

export interface ReceiveOptions {
  /** Undefined when a request with this `Authorization` may come in, else the answer. Asked before a body is read. */
  admit(authorization: string | undefined): Failure | undefined;
  /** Both transports speak TLS with these; without them neither does. */
  readonly tls?: TlsFiles;
  /** Those of the specification unless said otherwise. */
  readonly paths?: HttpPaths;
  /** Whether there is room for a request, over all servers. */
  readonly admission: Admission;
  /** How many connections there may be; `limits.connectionsMax` for each server unless said otherwise. */
  readonly connections?: Connections;
  /** The largest body, as sent and unpacked; `limits.bodyBytesMax` unless said otherwise. */
  readonly bodyBytesMax?: number;
  /** Hands a whole request on and resolves when its fate is known. Must not throw. `hops`: how many tees it came through. */
  consume(encoding: Encoding, bytes: Buffer, signal: Signal, hops?: number): Promise<OtlpOutcome>;
  /** Called once per answered request, with the HTTP status or the name of the gRPC code, and how long it took from its head on. */
  answered?(code: string, ms: number): void;
}

/** The number in `hopsHeader`; 0 where there is none. Whoever writes nonsense there is taken for the end of a long way. */
export function hopsOf(header: string | undefined): number {
  if (header === undefined) return 0;
  return /^\d{1,2}$/.test(header) ? Math.min(Number(header), limits.teeHopsMax) : limits.teeHopsMax;
}

/** How long senders may take: for the headers of a request, and for all of it. */
export interface Patience {
  readonly headersMs: number;
  readonly requestMs: number;
}

export const patience: Patience = { headersMs: limits.headersMsMax, requestMs: limits.requestMsMax };

type Retryable = Extract<OtlpOutcome, { status: 'retryable' }>;

/** Why a request has to wait: what others hold is all there is. */
export const busy: Retryable = {
  status: 'retryable',
  code: 'SW_RECEIVE_BUSY',
  message: 'requests under way fill the memory that is meant for them; try again',
  retryAfterMs: 1000,
};

/** What came before it takes too long already. */
export function crowded(waitMsMax: number): Retryable {
  return { ...busy, message: `requests wait for more than ${waitMsMax} ms here; try again` };
}

/** The process is near its limit. */
export const noMemory: Retryable = {
  status: 'retryable',
  code: 'SW_RECEIVE_MEMORY',
  message: 'the collector is near its limits.memory; try again',
  retryAfterMs: 1000,
};

export const stopping: Retryable = {
  status: 'retryable',
  code: 'SW_SHUTTING_DOWN',
  message: 'the collector is stopping',
  retryAfterMs: 1000,
};

export function unauthenticated(
  message = 'send the header `Authorization: Bearer <token>` with a token that this collector knows',
): Refusal {
  return { status: 'refused', code: 'SW_HTTP_UNAUTHENTICATED', message };
}
