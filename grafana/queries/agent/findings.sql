-- The newest findings on the agent.
WITH text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  Timestamp AS Time,
  Level,
  RuleTitle AS Finding,
  clean(ToolName) AS Tool,
  leftUTF8(replaceRegexpAll(Reason, '[\\p{Cc}\\p{Cf}]', ' '), 500) AS Why,
  Count AS Times,
  clean(SessionId) AS Session,
  TraceId
FROM findings FINAL
WHERE $__timeFilter_ms(Timestamp)
  AND clean(if(AgentName = '', ServiceName, AgentName)) = decodeURLComponent('${agent:percentencode}')
ORDER BY Time DESC, FindingId
LIMIT 100
SETTINGS $__adHocFilters('findings')
