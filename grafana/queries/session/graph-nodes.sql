-- Agents, models, tools and domains as nodes, with how often each was called; of an agent, how many calls it made.
-- include session/graph-calls
SELECT
  Node AS id,
  substring(Node, position(Node, ' ') + 1) AS title,
  substring(Node, 1, position(Node, ' ') - 1) AS subtitle,
  sum(Times) AS mainstat,
  sum(Failures) / sum(Times) AS arc__failed,
  1 - arc__failed AS arc__passed
FROM (
  SELECT Source AS Node, sum(Calls) AS Times, sum(Errors) AS Failures FROM edges WHERE startsWith(Source, 'agent ') GROUP BY Source
  UNION ALL
  SELECT Target, sum(Calls), sum(Errors) FROM edges GROUP BY Target
)
GROUP BY Node
ORDER BY mainstat DESC, id
LIMIT 200
SETTINGS $__adHocFilters('otel_traces')
