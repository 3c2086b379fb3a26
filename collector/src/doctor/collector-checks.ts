import { connect } from 'node:net';
import type { Config } from '../config/schema.ts';
import { parseListen } from '../receive/config.ts';
import { type Check, failed, ok, reasonOf, skipped, warning } from './check.ts';

const answerMsMax = 5_000;
const skewMsMax = 5_000;

/** Where the collector of this config is reached from its own machine. */
export function collectorUrl(config: Config): string {
  const { host, port } = parseListen(config.receive.http.listen);
  const name = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

/** `Authorization` as the config wants it from senders; none where it wants none. */
export function authorization(config: Config): Record<string, string> {
  const token = config.receive.bearer_token?.reveal();
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

export async function checkHttp(url: string): Promise<Check> {
  try {
    const response = await ask(`${url}/healthz`);
    const body = await response.text();
    if (response.status === 200 && body.includes('"status"')) return ok('OTLP/HTTP', `a collector answers at ${url}`);
    const advice = 'Something else has the port: end it, or set receive.http.listen to another one.';
    return failed('OTLP/HTTP', `${url} answers ${response.status}, not as a collector`, advice);
  } catch (error) {
    const advice = 'Start the collector: spanwarden serve. Does it run with another config? Name it with --config.';
    return failed('OTLP/HTTP', `nobody answers at ${url}: ${reasonOf(error)}`, advice);
  }
}

export async function checkGrpc(config: Config): Promise<Check> {
  const { listen } = config.receive.grpc;
  if (listen === 'off') return skipped('OTLP/gRPC', 'off in the config');
  const { host, port } = parseListen(listen);
  const address = { host: host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host, port };
  return new Promise((done) => {
    const socket = connect({ ...address, timeout: answerMsMax });
    const end = (check: Check) => {
      socket.destroy();
      done(check);
    };
    const advice = 'Only gRPC senders miss it: look at the log of spanwarden serve, or set receive.grpc.listen.';
    socket.once('connect', () => end(ok('OTLP/gRPC', `the port ${listen} is open`)));
    socket.once('timeout', () => end(failed('OTLP/gRPC', `${listen} does not answer`, advice)));
    socket.once('error', (error) => end(failed('OTLP/gRPC', `${listen}: ${reasonOf(error)}`, advice)));
  });
}

export async function checkReady(url: string): Promise<Check> {
  const response = await ask(`${url}/readyz`);
  const { reasons = [], warnings = [] } = (await response.json()) as { reasons?: string[]; warnings?: string[] };
  if (response.status !== 200) {
    return failed('readiness', reasons.join('; '), 'Spans wait in the spool meanwhile. See the line of ClickHouse.');
  }
  if (warnings.length > 0)
    return warning('readiness', warnings.join('; '), 'docs/tuning.md says what to do about rules.');
  return ok('readiness', 'spans are taken in, judged and stored');
}

/** Whether the token of the config is the one that the collector wants, and whether it wants one at all. */
export async function checkToken(config: Config, url: string): Promise<Check> {
  const send = async (headers: Record<string, string>) => {
    const response = await ask(`${url}/v1/traces`, { method: 'POST', body: '{}', headers: { ...json, ...headers } });
    await response.arrayBuffer();
    return response.status;
  };
  const wanted = authorization(config);
  const without = await send({});
  if (wanted.authorization === undefined) {
    if (without === 200) return ok('token', 'none is wanted, and none is set');
    const advice = 'The collector runs with another config: name it with --config, or restart the collector.';
    return failed('token', `the collector answers ${without}, and the config has no token`, advice);
  }
  const advice = 'Restart the collector: the token in the config is newer than the one that it knows.';
  const status = await send(wanted);
  if (status !== 200) return failed('token', `the token of the config is answered with ${status}`, advice);
  if (without !== 401) return failed('token', `a request without a token is answered with ${without}`, advice);
  return ok('token', 'the token of the config is taken, and no token is refused');
}

/** Event time decides about findings, so clocks have to agree. */
export async function checkClock(url: string): Promise<Check> {
  const before = Date.now();
  const response = await ask(`${url}/healthz`);
  await response.arrayBuffer();
  const told = Date.parse(response.headers.get('date') ?? '');
  if (Number.isNaN(told)) return skipped('clock', 'the collector does not tell its time');
  // The header has whole seconds.
  const skewMs = Math.max(0, Math.abs(told + 500 - (before + Date.now()) / 2) - 500);
  const seen = `the clocks differ by ${Math.round(skewMs)} ms`;
  if (skewMs <= skewMsMax) return ok('clock', seen);
  return warning('clock', seen, 'Let both machines follow a time server: windows of rules go by the time in spans.');
}

const json = { 'content-type': 'application/json' };

function ask(url: string, init: RequestInit = {}): Promise<Response> {
  return fetch(url, { ...init, signal: AbortSignal.timeout(answerMsMax) });
}
