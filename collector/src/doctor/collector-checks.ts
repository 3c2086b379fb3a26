import { connect } from 'node:net';
import type { Config } from '../config/schema.ts';
import { localAddress } from '../receive/config.ts';
import { type Check, failed, ok, reasonOf, skipped, warning } from './check.ts';
import type { CollectorClient } from './collector-client.ts';

const answerMsMax = 5_000;
const skewMsMax = 5_000;

export async function checkHttp({ url, ask }: CollectorClient): Promise<Check> {
  try {
    const { status, body } = await ask({ method: 'GET', path: '/healthz' });
    if (status === 200 && body.includes('"status"')) return ok('OTLP/HTTP', `a collector answers at ${url}`);
    const advice = 'Something else has the port: end it, or set receive.http.listen to another one.';
    return failed('OTLP/HTTP', `${url} answers ${status}, not as a collector`, advice);
  } catch (error) {
    const reason = reasonOf(error);
    const advice = /certificate|self.signed/i.test(reason)
      ? 'Another certificate is served than that of receive.tls.cert_file, or it has expired: look at the log of serve.'
      : 'Start the collector: spanwarden serve. Does it run with another config? Name it with --config.';
    return failed('OTLP/HTTP', `nobody answers at ${url}: ${reason}`, advice);
  }
}

export async function checkGrpc(config: Config): Promise<Check> {
  const { listen } = config.receive.grpc;
  if (listen === 'off') return skipped('OTLP/gRPC', 'off in the config');
  return new Promise((done) => {
    const socket = connect({ ...localAddress(listen), timeout: answerMsMax });
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

export async function checkReady({ ask }: CollectorClient): Promise<Check> {
  const { status, body } = await ask({ method: 'GET', path: '/readyz' });
  const { reasons = [], warnings = [] } = JSON.parse(body.toString()) as { reasons?: string[]; warnings?: string[] };
  if (status !== 200) {
    return failed('readiness', reasons.join('; '), 'Spans wait in the spool meanwhile. See the line of ClickHouse.');
  }
  if (warnings.length > 0)
    return warning(
      'readiness',
      warnings.join('; '),
      'docs/tuning.md says what to do about rules, docs/operations.md about memory, docs/access.md about the rest.',
    );
  return ok('readiness', 'spans are taken in, judged and stored');
}

/** Whether the token is one that the collector takes, and whether it wants one at all. Skipped when there is none to give. */
export async function checkToken(client: CollectorClient): Promise<Check> {
  const send = async (headers: Readonly<Record<string, string>>) => {
    const all = { 'content-type': 'application/json', ...headers };
    return (await client.ask({ path: client.tracesPath, body: '{}', headers: all })).status;
  };
  const { authorization, isConfigToken } = client;
  const without = await send({});
  if (authorization.authorization === undefined) {
    if (without === 200) return ok('token', 'none is wanted, and none is set');
    if (without === 401) return skipped('token', 'one is wanted: give it in SPANWARDEN_TOKEN or with --token');
    const advice = 'The collector runs with another config: name it with --config, or restart the collector.';
    return failed('token', `the collector answers ${without}, and the config has no token`, advice);
  }
  const whose = isConfigToken ? 'the token of the config' : 'the token that was given';
  const status = await send(authorization);
  if (status === 429) return warning('token', `${whose} is over its rate`, 'Try again, or give another token.');
  if (status !== 200) {
    const advice = isConfigToken
      ? 'Restart the collector: the token in the config is newer than the one that it knows.'
      : 'spanwarden token list tells which there are, and whether they have expired.';
    return failed('token', `${whose} is answered with ${status}`, advice);
  }
  if (without !== 401) {
    const advice = 'The collector lets everybody in: make a token, or restart it when the config has one.';
    return failed('token', `a request without a token is answered with ${without}`, advice);
  }
  return ok('token', `${whose} is taken, and no token is refused`);
}

/** Event time decides about findings, so clocks have to agree. */
export async function checkClock({ ask }: CollectorClient): Promise<Check> {
  const before = Date.now();
  const { headers } = await ask({ method: 'GET', path: '/healthz' });
  const told = Date.parse(headers.date ?? '');
  if (Number.isNaN(told)) return skipped('clock', 'the collector does not tell its time');
  // The header has whole seconds.
  const skewMs = Math.max(0, Math.abs(told + 500 - (before + Date.now()) / 2) - 500);
  const seen = `the clocks differ by ${Math.round(skewMs)} ms`;
  if (skewMs <= skewMsMax) return ok('clock', seen);
  return warning('clock', seen, 'Let both machines follow a time server: windows of rules go by the time in spans.');
}
