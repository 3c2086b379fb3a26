import type { StoreClient } from '../client.ts';
import { conditionsOf, type HistoryRange } from './query.ts';

/** How much there is of an agent; of one without a name, of its service. */
export interface AgentSpans {
  readonly agent: string;
  readonly spans: number;
  /** Within a percent or so, where there are many. */
  readonly traces: number;
}

/** The 10,000 agents with the most spans in a range. */
export async function agentSpans(client: StoreClient, range: HistoryRange): Promise<AgentSpans[]> {
  const { where, parameters } = conditionsOf(range);
  const result = await client.query({
    query: `SELECT if(AgentName = '', toString(ServiceName), toString(AgentName)) AS agent, count() AS spans,
  uniqCombined(TraceId) AS traces
FROM otel_traces WHERE ${where.join(' AND ')} GROUP BY agent ORDER BY spans DESC LIMIT 10000`,
    query_params: parameters,
    format: 'JSONEachRow',
  });
  const rows = await result.json<{ agent: string; spans: string; traces: string }>();
  return rows.map(({ agent, spans, traces }) => ({ agent, spans: Number(spans), traces: Number(traces) }));
}
