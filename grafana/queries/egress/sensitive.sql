-- Which kind of secret or personal data which tool of which agent sent to which domain.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  clean(Sensitive) AS `What`,
  Agent,
  ToolName AS Tool,
  clean(Value) AS Domain,
  sum(Spans) AS Calls,
  sum(agent_values.Bytes) AS Bytes,
  min(FirstSeen) AS `First seen`,
  max(LastSeen) AS `Last seen`,
  argMaxMerge(LastTraceId) AS TraceId
FROM agent_values
ARRAY JOIN splitByChar(',', Detail, 20) AS Sensitive
WHERE Kind = 'external_domain' AND Detail != '' AND Time >= toStartOfHour($__fromTime) AND Time <= $__toTime
  AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
  AND $__conditionalAll(clean(Value) = decodeURLComponent('${domain:percentencode}'), $domain)
GROUP BY Sensitive, agent_values.Agent, ToolName, Value
ORDER BY `Last seen` DESC, What, Domain
LIMIT 300
SETTINGS $__adHocFilters('agent_values')
