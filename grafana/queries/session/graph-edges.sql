-- Who called what, as edges.
-- include session/graph-calls
SELECT
  concat(Source, ' → ', Target) AS id,
  Source AS source,
  Target AS target,
  sum(Calls) AS mainstat
FROM edges
GROUP BY Source, Target
ORDER BY mainstat DESC, id
LIMIT 400
SETTINGS $__adHocFilters('otel_traces')
