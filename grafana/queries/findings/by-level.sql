-- How many findings of each level there are: one row, one column per level.
WITH text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  countIf(Level = 'critical') AS critical,
  countIf(Level = 'high') AS high,
  countIf(Level = 'medium') AS medium,
  countIf(Level = 'low') AS low,
  countIf(Level = 'informational') AS informational
FROM findings FINAL
WHERE $__timeFilter_ms(Timestamp)
  AND Severity >= toUInt8OrZero('${severity:percentencode}')
  AND $__conditionalAll(clean(RuleId) = decodeURLComponent('${rule:percentencode}'), $rule)
  AND $__conditionalAll(clean(if(AgentName = '', ServiceName, AgentName)) = decodeURLComponent('${agent:percentencode}'), $agent)
  AND $__conditionalAll(clean(ToolName) = decodeURLComponent('${tool:percentencode}'), $tool)
SETTINGS $__adHocFilters('findings')
