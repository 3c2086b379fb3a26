-- Findings of level high and critical as marks on the timeline.
WITH text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  Timestamp AS time,
  concat(Level, ': ', RuleTitle) AS title,
  leftUTF8(replaceRegexpAll(Reason, '[\\p{Cc}\\p{Cf}]', ' '), 500) AS text,
  Level AS tags
FROM findings FINAL
WHERE $__timeFilter_ms(Timestamp)
  AND Severity >= toUInt8OrZero('${severity:percentencode}')
  AND $__conditionalAll(clean(RuleId) = decodeURLComponent('${rule:percentencode}'), $rule)
  AND $__conditionalAll(clean(if(AgentName = '', ServiceName, AgentName)) = decodeURLComponent('${agent:percentencode}'), $agent)
  AND $__conditionalAll(clean(ToolName) = decodeURLComponent('${tool:percentencode}'), $tool)
  AND Severity >= 4
ORDER BY time DESC
LIMIT 100
SETTINGS $__adHocFilters('findings')
