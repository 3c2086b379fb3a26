import type { Config } from '../config/schema.ts';
import type { StoreClient } from '../store/client.ts';
import { sendCanary } from './canary.ts';
import { type Check, failed, reasonOf, skipped } from './check.ts';
import {
  authorization,
  checkClock,
  checkGrpc,
  checkHttp,
  checkReady,
  checkToken,
  collectorUrl,
} from './collector-checks.ts';
import { checkDisk, checkSpool } from './machine-checks.ts';
import { checkClickhouse } from './store-checks.ts';

export interface Examination {
  readonly config: Config;
  /** Runs with a client of the config's ClickHouse; rejects with the reason when there is none to be had. */
  withStore<T>(ask: (client: StoreClient) => Promise<T>): Promise<T>;
  /** Called with each line as it is known. */
  tell(check: Check): void;
}

/** All checks, in the order of a span's way. Never rejects for what it finds. */
export async function examine({ config, withStore, tell }: Examination): Promise<readonly Check[]> {
  const checks: Check[] = [];
  const add = (...found: readonly Check[]) => {
    for (const check of found) {
      checks.push(check);
      tell(check);
    }
  };
  const url = collectorUrl(config);
  add(checkDisk(config), await checkSpool(config));
  const http = await checkHttp(url);
  add(http);
  const runs = http.result === 'ok';
  if (runs) {
    add(await checkGrpc(config));
    for (const check of [checkReady(url), checkToken(config, url), checkClock(url)])
      add(await guarded('collector', check));
  } else add(skipped('OTLP/gRPC, readiness, token, clock', 'no collector runs'));
  try {
    await withStore(async (client) => {
      add(...(await checkClickhouse(client)));
      if (runs) add(...(await sendCanary(url, authorization(config), client)));
    });
  } catch (error) {
    add(failed('ClickHouse', reasonOf(error), storeAdvice(config)));
    if (runs) add(...(await sendCanary(url, authorization(config), undefined)));
  }
  if (!runs) add(skipped('canary', 'no collector runs'));
  return checks;
}

async function guarded(name: string, check: Promise<Check>): Promise<Check> {
  return check.catch((error: unknown) => failed(name, reasonOf(error), 'Look at the log of spanwarden serve.'));
}

function storeAdvice(config: Config): string {
  return config.clickhouse.url === undefined
    ? 'The embedded one runs inside the collector: start it with spanwarden serve, or look at its log.'
    : 'Check clickhouse.url, username, password and database in the config, and the network between.';
}
