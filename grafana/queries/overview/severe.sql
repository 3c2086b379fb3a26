-- The newest findings of level high and critical.
WITH text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  Timestamp AS Time,
  Level,
  RuleTitle AS Finding,
  clean(if(AgentName = '', ServiceName, AgentName)) AS Agent,
  clean(ToolName) AS Tool,
  leftUTF8(replaceRegexpAll(Reason, '[\\p{Cc}\\p{Cf}]', ' '), 500) AS Why,
  clean(SessionId) AS Session,
  TraceId
FROM findings FINAL
WHERE $__timeFilter_ms(Timestamp)
  AND Severity >= 4
  AND $__conditionalAll(clean(if(AgentName = '', ServiceName, AgentName)) = decodeURLComponent('${agent:percentencode}'), $agent)
ORDER BY Time DESC, FindingId
LIMIT 20
SETTINGS $__adHocFilters('findings')
