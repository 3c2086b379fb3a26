-- Who named the domain, by the hour, the newest first: out of the newest 1,000 rows, so that a long time range costs little.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  max(LastSeen) AS `Last seen`,
  clean(Value) AS Domain,
  Agent,
  ToolName AS Tool,
  sum(Spans) AS Calls,
  sum(agent_values.Bytes) AS Bytes,
  clean(arrayStringConcat(arraySort(groupUniqArrayArray(20)(splitByChar(',', Detail, 20))), ', ')) AS `Secrets and personal data`,
  argMinMerge(FirstTraceId) AS `First trace`,
  argMaxMerge(LastTraceId) AS TraceId
FROM agent_values
WHERE Kind = 'external_domain' AND (Agent, Value, Time, ToolName) IN (
  SELECT Agent, Value, Time, ToolName FROM agent_values
  WHERE Kind = 'external_domain' AND Time >= toStartOfHour($__fromTime) AND Time <= $__toTime
    AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
    AND $__conditionalAll(clean(Value) = decodeURLComponent('${domain:percentencode}'), $domain)
  ORDER BY Time DESC
  LIMIT 1000
)
GROUP BY Time, Value, agent_values.Agent, ToolName
ORDER BY `Last seen` DESC, Domain, Agent, Tool
LIMIT 300
SETTINGS $__adHocFilters('agent_values')
