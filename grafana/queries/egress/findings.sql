-- Findings whose rules say by their tags that something left: the same tags that make a case say so. A domain is looked for in the evidence.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  Timestamp AS Time,
  Level,
  RuleTitle AS Finding,
  clean(if(AgentName = '', ServiceName, AgentName)) AS Agent,
  clean(ToolName) AS Tool,
  leftUTF8(replaceRegexpAll(arrayStringConcat(Evidence.Excerpt, ' · '), '[\\p{Cc}\\p{Cf}]', ' '), 500) AS `What matched`,
  Count AS Times,
  clean(SessionId) AS Session,
  TraceId,
  clean(RuleId) AS `Rule id`
FROM findings FINAL
WHERE $__timeFilter_ms(Timestamp)
  AND arrayExists(tag -> match(tag, '^(?:atlas\\.aml\\.t00(?:25|57|77|86)(?:\\.|$)|attack\\.exfiltration$)'), Tags)
  AND $__conditionalAll(clean(if(AgentName = '', ServiceName, AgentName)) = decodeURLComponent('${agent:percentencode}'), $agent)
  AND $__conditionalAll(arrayExists(text -> position(text, decodeURLComponent('${domain:percentencode}')) > 0, Evidence.Excerpt), $domain)
ORDER BY Time DESC, FindingId
LIMIT 200
SETTINGS $__adHocFilters('agent_values')
