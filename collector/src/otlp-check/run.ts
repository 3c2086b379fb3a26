import { type Described, failed, type GrpcTarget, type HttpTarget, type Result, type Seen } from './check.ts';
import { contentChecks } from './content-checks.ts';
import { grpcChecks } from './grpc-checks.ts';
import { GrpcClient } from './grpc-client.ts';
import { httpChecks } from './http-checks.ts';
import { HttpClient } from './http-client.ts';
import { grpcPaths, httpPaths, type Signal, signals } from './requests.ts';

export interface Endpoint {
  readonly transport: 'http' | 'grpc';
  /** http: or https:, also for gRPC. */
  readonly url: string;
}

/** Nobody answers at all: there is nothing to check. */
export class NoAnswer extends Error {}

/**
 * Runs every check against an endpoint, one after the other. The records that it takes are real ones, of the service
 * `spanwarden-otlp-check`. Throws NoAnswer.
 * @param headers go with every request, but where a stranger is played
 */
export async function checkEndpoint(
  { transport, url }: Endpoint,
  headers: Readonly<Record<string, string>>,
  done: (result: Result) => void = () => undefined,
): Promise<readonly Result[]> {
  return transport === 'http' ? overHttp(url, headers, done) : overGrpc(url, headers, done);
}

async function overHttp(url: string, headers: Readonly<Record<string, string>>, done: (result: Result) => void) {
  const client = new HttpClient(url, headers);
  const stranger = new HttpClient(url);
  try {
    const taken = await httpSignals(client);
    const target: HttpTarget = { client, stranger, hasCredentials: Object.keys(headers).length > 0, signals: taken };
    return await runAll(
      'http',
      taken.length === 0 ? httpChecks.slice(0, 1) : [...httpChecks, ...contentChecks],
      target,
      done,
    );
  } finally {
    client.close();
    stranger.close();
  }
}

async function overGrpc(url: string, headers: Readonly<Record<string, string>>, done: (result: Result) => void) {
  const client = new GrpcClient(url, headers);
  const stranger = new GrpcClient(url);
  try {
    const taken = await grpcSignals(client);
    const target: GrpcTarget = { client, stranger, hasCredentials: Object.keys(headers).length > 0, signals: taken };
    return await runAll('grpc', taken.length === 0 ? grpcChecks.slice(0, 1) : grpcChecks, target, done);
  } finally {
    client.close();
    stranger.close();
  }
}

/** A signal that the endpoint does not take is no failure: it is 404. */
async function httpSignals(client: HttpClient): Promise<Signal[]> {
  const taken: Signal[] = [];
  for (const signal of signals) {
    const headers = { 'content-type': 'application/x-protobuf' };
    const { status, failure } = await client.send({ path: httpPaths[signal], headers });
    if (status === 0) throw new NoAnswer(failure);
    if (status !== 404) taken.push(signal);
  }
  return taken;
}

async function grpcSignals(client: GrpcClient): Promise<Signal[]> {
  const taken: Signal[] = [];
  for (const signal of signals) {
    const { code, message } = await client.call(grpcPaths[signal], Buffer.alloc(0));
    if (code === -1) throw new NoAnswer(message);
    if (code !== 12) taken.push(signal);
  }
  return taken;
}

interface Runnable<T> extends Described {
  run(target: T): Promise<Seen>;
}

async function runAll<T>(
  transport: 'http' | 'grpc',
  checks: readonly Runnable<T>[],
  target: T,
  done: (result: Result) => void,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const { section, title, level, run } of checks) {
    const seen = await run(target).catch((error: unknown) => failed(String(error)));
    const result = { transport, section, title, level, ...seen };
    results.push(result);
    done(result);
  }
  return results;
}
