-- Findings per interval by what their rules ask for.
SELECT
  $__timeInterval(Timestamp) AS time,
  countIf(Response = 'block') AS block,
  countIf(Response = 'approve') AS approve
FROM findings FINAL
WHERE $__timeFilter_ms(Timestamp)
  AND Response IN ('approve', 'block')
  AND $__conditionalAll(leftUTF8(replaceRegexpAll(if(AgentName = '', toString(ServiceName), toString(AgentName)), '[\\p{Cc}\\p{Cf}]', ' '), 200) = decodeURLComponent('${agent:percentencode}'), $agent)
GROUP BY time
ORDER BY time
SETTINGS $__adHocFilters('findings')
