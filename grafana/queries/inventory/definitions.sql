-- Tools that were offered under one name with several definitions, each by the hash of its text: when it was first and last offered. Two
-- whose times overlap are two tools or two forms of one, where one follows the other the tool has changed.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean,
  tool -> replaceRegexpAll(if(endsWith(tool, '__'), tool, replaceRegexpOne(tool, '(?s)^.+__(.+)$', '\\1')), '[^A-Za-z0-9_]', '_') AS own
SELECT
  Agent,
  clean(Value) AS Tool,
  each.Hash AS Definition,
  multiIf(
    each.First = arrayMin(arrayMap(one -> one.First, all)), 'first known',
    each.First >= $__fromTime_ms, 'new in this range', 'newer') AS State,
  if(arrayExists(one -> one.Hash != each.Hash AND one.First <= each.Last AND one.Last >= each.First, all), 'yes', 'no') AS Overlaps,
  each.Model AS `Model calls`,
  each.First AS `First offered`,
  each.Last AS `Last offered`,
  each.Trace AS TraceId
FROM (
  SELECT
    Agent, Value,
    groupArray(100)((Detail, First, Last, Model, Trace)::Tuple(
      Hash String, First DateTime64(9), Last DateTime64(9), Model UInt64, Trace String)) AS all
  FROM (
    SELECT
      Agent, Value, Detail, min(FirstSeen) AS First, max(LastSeen) AS Last, sum(Spans) AS Model,
      argMinMerge(FirstTraceId) AS Trace
    FROM agent_values
    WHERE Kind = 'tool_definition' AND Value != ''
      AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
      AND $__conditionalAll(own(Value) = own(decodeURLComponent('${tool:percentencode}')), $tool)
    GROUP BY Agent, Value, Detail
    ORDER BY First DESC
  )
  GROUP BY Agent, Value
  HAVING length(all) > 1 AND max(Last) >= $__fromTime_ms
)
ARRAY JOIN all AS each
ORDER BY max(each.First) OVER (PARTITION BY Agent, Value) DESC, Agent, Value, each.First DESC
LIMIT 300
SETTINGS $__adHocFilters('agent_activity')
