import type { StoreClient } from '../store/client.ts';
import type { HistoryRange } from '../store/history/query.ts';
import { escapeControl } from './terminal.ts';

/** Why a range holds no spans, and what to do about it. */
export async function whyNoHistory(client: StoreClient, { agent, service }: HistoryRange): Promise<string> {
  const result = await client.query({
    query: `SELECT count() AS spans, toString(min(Timestamp)) AS first, toString(max(Timestamp)) AS last,
  arraySlice(arraySort(groupUniqArray(20)(if(AgentName = '', toString(ServiceName), toString(AgentName)))), 1, 10) AS agents
FROM otel_traces`,
    format: 'JSONEachRow',
  });
  const [row] = await result.json<{ spans: string; first: string; last: string; agents: string[] }>();
  if (row === undefined || Number(row.spans) === 0) {
    return 'No spans are stored yet. Instrument an agent and run it for a while; spanwarden demo shows how it looks.';
  }
  const there = `${Number(row.spans).toLocaleString('en')} spans are stored, from ${shown(row.first)} to ${shown(row.last)} UTC.`;
  const named = agent ?? service;
  const of = named === undefined ? '' : ` of ${escapeControl(named)}`;
  const known = named === undefined ? '' : ` Agents: ${row.agents.map(escapeControl).join(', ')}.`;
  return `No span${of} ended in this time. ${there}${known} Choose another --since, or --until.`;
}

function shown(time: string): string {
  return time.slice(0, 16).replace('T', ' ');
}
