-- Findings by the tags of their rules; a finding with several tags counts at each.
WITH text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  clean(tag) AS Tag,
  countIf(Severity >= 4) AS Severe,
  count() AS Findings,
  uniqExact(RuleId) AS Rules,
  uniqExact(if(AgentName = '', toString(ServiceName), toString(AgentName))) AS Agents,
  max(Timestamp) AS `Last seen`
FROM findings FINAL
ARRAY JOIN Tags AS tag
WHERE $__timeFilter_ms(Timestamp)
  AND $__conditionalAll(clean(RuleId) = decodeURLComponent('${rule:percentencode}'), $rule)
GROUP BY Tag
ORDER BY Findings DESC, Tag
LIMIT 100
SETTINGS $__adHocFilters('findings')
