-- The agents, tools and domains of the graph. Red is where secrets or personal data went.
-- include egress/with-paths
SELECT
  Node.1 AS id,
  any(Node.2) AS title,
  any(Node.3) AS subtitle,
  toString(sum(Calls)) AS mainstat,
  formatReadableSize(sum(Sent)) AS secondarystat,
  if(max(IsSensitive) = 1, 'red', any(Node.4)) AS color
FROM paths
ARRAY JOIN [
  (concat('agent ', Agent), Agent, 'agent', 'blue'),
  (concat('tool ', Agent, ' ', Tool), Tool, 'tool', 'purple'),
  (concat('domain ', Domain), Domain, 'domain', 'green')
] AS Node
GROUP BY id
ORDER BY id
SETTINGS $__adHocFilters('agent_values')
