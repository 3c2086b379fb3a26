-- Rules that fired, the most severe first.
WITH text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  Level,
  RuleTitle AS Rule,
  count() AS Findings,
  uniqExact(TraceId) AS Traces,
  max(Timestamp) AS `Last seen`,
  clean(RuleId) AS `Rule id`
FROM findings FINAL
WHERE $__timeFilter_ms(Timestamp)
  AND Severity >= toUInt8OrZero('${severity:percentencode}')
  AND $__conditionalAll(clean(RuleId) = decodeURLComponent('${rule:percentencode}'), $rule)
  AND $__conditionalAll(clean(if(AgentName = '', ServiceName, AgentName)) = decodeURLComponent('${agent:percentencode}'), $agent)
  AND $__conditionalAll(clean(ToolName) = decodeURLComponent('${tool:percentencode}'), $tool)
GROUP BY RuleId, RuleTitle, Level, Severity
ORDER BY Severity DESC, Findings DESC, RuleId
LIMIT 100
SETTINGS $__adHocFilters('findings')
