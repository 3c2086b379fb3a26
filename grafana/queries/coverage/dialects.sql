-- Which conventions each agent speaks beside OpenTelemetry's own names, and in how many of its spans.
WITH text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  spoken.Agent AS Agent,
  clean(spoken.Value) AS Dialect,
  spoken.Spans AS Spans,
  if(seen.Spans = 0, NULL, least(spoken.Spans / seen.Spans, 1)) AS `Of its spans`,
  spoken.FirstSeen AS `First seen`,
  spoken.LastSeen AS `Last seen`
FROM (
  SELECT Agent, Value, sum(Spans) AS Spans, min(FirstSeen) AS FirstSeen, max(LastSeen) AS LastSeen
  FROM agent_values
  WHERE Kind = 'dialect' AND Time >= toStartOfHour($__fromTime) AND Time <= $__toTime
    AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
  GROUP BY Agent, Value
) AS spoken
LEFT JOIN (
  SELECT Agent, sum(Spans) AS Spans FROM agent_activity
  WHERE Time >= toStartOfHour($__fromTime) AND Time <= $__toTime GROUP BY Agent
) AS seen ON seen.Agent = spoken.Agent
ORDER BY Agent, Spans DESC, Dialect
LIMIT 500
SETTINGS $__adHocFilters('agent_values')
