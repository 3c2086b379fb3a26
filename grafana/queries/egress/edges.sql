-- Which agent called which tool, and which of its tools which domain.
-- include egress/with-paths
SELECT
  concat(Edge.1, ' → ', Edge.2) AS id,
  Edge.1 AS source,
  Edge.2 AS target,
  toString(sum(Calls)) AS mainstat
FROM paths
ARRAY JOIN [
  (concat('agent ', Agent), concat('tool ', Agent, ' ', Tool)),
  (concat('tool ', Agent, ' ', Tool), concat('domain ', Domain))
] AS Edge
GROUP BY source, target
ORDER BY id
SETTINGS $__adHocFilters('agent_values')
