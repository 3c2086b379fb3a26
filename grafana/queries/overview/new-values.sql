-- External domains and tools that were seen for the first time in this time range, out of all that is kept. What is new is found
-- by its name alone, and only then looked up.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean,
  domains AS (
    SELECT Value, min(FirstSeen) AS Seen
    FROM agent_values
    WHERE Kind = 'external_domain'
      AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
    GROUP BY Value
    HAVING $__timeFilter_ms(Seen)
    ORDER BY Seen DESC
    LIMIT 50
  ),
  tools AS (
    SELECT ToolName, min(FirstSeen) AS Seen
    FROM agent_activity
    WHERE ToolName != ''
      AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
    GROUP BY ToolName
    HAVING $__timeFilter_ms(Seen)
    ORDER BY Seen DESC
    LIMIT 50
  )
SELECT First AS `First seen`, What, clean(Value) AS Name, clean(FirstAgent) AS Agent, Calls, Trace AS TraceId
FROM (
  SELECT
    'domain' AS What, Value, min(FirstSeen) AS First, argMin(toString(Agent), FirstSeen) AS FirstAgent, sum(Spans) AS Calls,
    argMinMerge(FirstTraceId) AS Trace
  FROM agent_values
  WHERE Kind = 'external_domain'
    AND Value IN (SELECT Value FROM domains)
    AND Time >= toStartOfHour($__fromTime)
    AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
  GROUP BY Value
  UNION ALL
  SELECT
    'tool', toString(ToolName), min(FirstSeen), argMin(toString(Agent), FirstSeen), sum(Spans), argMaxMerge(LastTraceId)
  FROM agent_activity
  WHERE ToolName IN (SELECT ToolName FROM tools)
    AND Time >= toStartOfFiveMinutes($__fromTime)
    AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
  GROUP BY ToolName
)
ORDER BY `First seen` DESC, What, Name
LIMIT 50
SETTINGS $__adHocFilters('agent_values')
