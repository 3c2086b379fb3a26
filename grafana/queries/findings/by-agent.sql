-- Agents with findings, those with severe ones first. An agent without a name goes by its service.
WITH text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  clean(if(AgentName = '', ServiceName, AgentName)) AS Agent,
  countIf(Severity >= 4) AS Severe,
  count() AS Findings,
  uniqExact(RuleId) AS Rules,
  max(Timestamp) AS `Last seen`
FROM findings FINAL
WHERE $__timeFilter_ms(Timestamp)
  AND Severity >= toUInt8OrZero('${severity:percentencode}')
  AND $__conditionalAll(clean(RuleId) = decodeURLComponent('${rule:percentencode}'), $rule)
  AND $__conditionalAll(clean(if(AgentName = '', ServiceName, AgentName)) = decodeURLComponent('${agent:percentencode}'), $agent)
  AND $__conditionalAll(clean(ToolName) = decodeURLComponent('${tool:percentencode}'), $tool)
GROUP BY Agent
ORDER BY Severe DESC, Findings DESC, Agent
LIMIT 100
SETTINGS $__adHocFilters('findings')
