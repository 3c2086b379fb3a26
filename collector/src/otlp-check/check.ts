import type { GrpcClient } from './grpc-client.ts';
import type { HttpClient } from './http-client.ts';
import type { Signal } from './requests.ts';

export type Transport = 'http' | 'grpc';

/** `must` and `should` as the specification means them; `ours` is what we think a receiver owes its senders. */
export type Level = 'must' | 'should' | 'ours';

export interface Seen {
  readonly result: 'pass' | 'fail' | 'not applicable';
  /** What was seen, one line. */
  readonly seen: string;
}

export interface HttpTarget {
  readonly client: HttpClient;
  /** Without the headers that the user gave: what a stranger sees. */
  readonly stranger: HttpClient;
  readonly hasCredentials: boolean;
  /** What the endpoint takes. */
  readonly signals: readonly Signal[];
}

export interface GrpcTarget {
  readonly client: GrpcClient;
  readonly stranger: GrpcClient;
  readonly hasCredentials: boolean;
  readonly signals: readonly Signal[];
}

export interface Described {
  /** Heading in https://opentelemetry.io/docs/specs/otlp/ that wants it. */
  readonly section: string;
  readonly title: string;
  readonly level: Level;
}

export interface HttpCheck extends Described {
  run(target: HttpTarget): Promise<Seen>;
}

export interface GrpcCheck extends Described {
  run(target: GrpcTarget): Promise<Seen>;
}

export type Result = Described & Seen & { readonly transport: Transport };

export function passed(seen: string): Seen {
  return { result: 'pass', seen };
}

export function failed(seen: string): Seen {
  return { result: 'fail', seen };
}

export function notApplicable(seen: string): Seen {
  return { result: 'not applicable', seen };
}

/** The first that failed, else all of them as one. */
export function all(each: readonly Seen[]): Seen {
  const worst = each.find(({ result }) => result === 'fail') ?? each.find(({ result }) => result === 'pass');
  return worst ?? each[0] ?? notApplicable('nothing to look at');
}
