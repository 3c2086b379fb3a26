import type { Config } from '../config/schema.ts';
import type { StoreClient } from '../store/client.ts';
import { sendCanary } from './canary.ts';
import { type Check, failed, reasonOf, skipped } from './check.ts';
import { checkClock, checkGrpc, checkHttp, checkReady, checkToken } from './collector-checks.ts';
import { type CollectorClient, collectorClient } from './collector-client.ts';
import { checkDisk, checkSpool } from './machine-checks.ts';
import { checkClickhouse } from './store-checks.ts';

export interface Examination {
  readonly config: Config;
  /** Of a sender; without it that of the config is used, if there is one. */
  readonly token?: string | undefined;
  /** Runs with a client of the config's ClickHouse; rejects with the reason when there is none to be had. */
  withStore<T>(ask: (client: StoreClient) => Promise<T>): Promise<T>;
  /** Called with each line as it is known. */
  tell(check: Check): void;
}

/** All checks, in the order of a span's way. Never rejects for what it finds. */
export async function examine({ config, token, withStore, tell }: Examination): Promise<readonly Check[]> {
  const checks: Check[] = [];
  const add = (...found: readonly Check[]) => {
    for (const check of found) {
      checks.push(check);
      tell(check);
    }
  };
  add(checkDisk(config), await checkSpool(config));
  const reached = await reach(config, token, add);
  const canary = async (client: StoreClient | undefined) => {
    if (reached.status === 'open') add(...(await sendCanary(reached.collector, client)));
    else add(skipped('canary', reached.reason));
  };
  try {
    await withStore(async (client) => {
      add(...(await checkClickhouse(client)));
      await canary(client);
    });
  } catch (error) {
    add(failed('ClickHouse', reasonOf(error), storeAdvice(config)));
    await canary(undefined);
  }
  if (reached.status === 'open') reached.collector.close();
  return checks;
}

type Reached =
  | { readonly status: 'open'; readonly collector: CollectorClient }
  | { readonly status: 'closed'; readonly reason: string };

/** Looks at the collector; `open` when it may be sent a span. */
async function reach(config: Config, token: string | undefined, add: (check: Check) => void): Promise<Reached> {
  const others = 'OTLP/HTTP, readiness, token, clock';
  if (config.receive.tls?.client_ca_file !== undefined) {
    add(await checkGrpc(config));
    const reason = 'the collector wants a certificate of senders, and the doctor has none';
    add(skipped(others, reason));
    return { status: 'closed', reason };
  }
  let collector: CollectorClient;
  try {
    collector = collectorClient(config, token);
  } catch (error) {
    const advice = 'Make receive.tls.cert_file readable for this user.';
    add(failed('certificate', reasonOf(error), advice));
    add(skipped(`${others}, OTLP/gRPC`, 'there is no certificate'));
    return { status: 'closed', reason: 'there is no certificate' };
  }
  const http = await checkHttp(collector);
  add(http);
  if (http.result !== 'ok') {
    collector.close();
    add(skipped('OTLP/gRPC, readiness, token, clock', 'no collector runs'));
    return { status: 'closed', reason: 'no collector runs' };
  }
  add(await checkGrpc(config));
  add(await guarded('collector', checkReady(collector)));
  const known = await guarded('collector', checkToken(collector));
  add(known);
  add(await guarded('collector', checkClock(collector)));
  if (known.result !== 'skipped') return { status: 'open', collector };
  collector.close();
  return { status: 'closed', reason: 'there is no token to send it with' };
}

async function guarded(name: string, check: Promise<Check>): Promise<Check> {
  return check.catch((error: unknown) => failed(name, reasonOf(error), 'Look at the log of spanwarden serve.'));
}

function storeAdvice(config: Config): string {
  return config.clickhouse.url === undefined
    ? 'The embedded one runs inside the collector: start it with spanwarden serve, or look at its log.'
    : 'Check clickhouse.url, username, password and database in the config, and the network between.';
}
