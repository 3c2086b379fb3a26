import type { ClickHouseClient } from '@clickhouse/client';
import { expandQuery } from '../../test/support/grafana-macros.ts';
import type { Ask } from './page.ts';

/** Runs queries of dashboards as the data source would, by our model of its macros. */
export function askClickHouse(client: ClickHouseClient, fromMs: number, toMs: number): Ask {
  return async (rawSql, variables, intervalMs) => {
    const query = expandQuery(rawSql, { from: new Date(fromMs), to: new Date(toMs), intervalMs, variables });
    const result = await client.query({
      query,
      format: 'JSONCompact',
      clickhouse_settings: { max_execution_time: 60 },
    });
    const { meta = [], data } = await result.json<unknown[]>();
    return { meta, data };
  };
}
