import type { StoreClient } from '../../collector/src/store/client.ts';

/** The agent, tool, trace … with most to show: what somebody chooses, and the most that a choice costs. */
export async function chosenValues(client: StoreClient): Promise<Record<string, string>> {
  const result = await client.query({
    query: `SELECT ${Object.entries(queries)
      .map(([name, query]) => `(${query}) AS ${name}`)
      .join(',\n')}`,
    format: 'JSONEachRow',
  });
  const [row] = await result.json<Record<string, string>>();
  return Object.fromEntries(Object.entries(row ?? {}).map(([name, value]) => [name, String(value)]));
}

const most = (column: string, from: string, where = '1') =>
  `SELECT ${column} FROM ${from} WHERE ${column} != '' AND ${where} GROUP BY ${column} ORDER BY count() DESC, ${column} LIMIT 1`;
const newestFinding = (column: string) => `SELECT ${column} FROM findings ORDER BY Timestamp DESC LIMIT 1`;

const queries = {
  agent: most('Agent', 'agent_activity'),
  tool: most('ToolName', 'agent_activity'),
  model: most('Model', 'agent_activity'),
  domain: most('Value', 'agent_values', "Kind = 'external_domain'"),
  rule: most('RuleId', 'findings'),
  collector: "SELECT 'c0'",
  trace_id: newestFinding('TraceId'),
  session: newestFinding('SessionId'),
};
