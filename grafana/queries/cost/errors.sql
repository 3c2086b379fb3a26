-- Which part of the calls of models and of tools failed, per interval.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean,
  OperationName IN ('chat', 'text_completion', 'generate_content') AS IsCall,
  ToolName != '' AS IsTool
SELECT
  $__timeInterval(Time) AS time,
  if(sumIf(Spans, IsCall) = 0, NULL, sumIf(Errors, IsCall) / sumIf(Spans, IsCall)) AS `model calls`,
  if(sumIf(Spans, IsTool) = 0, NULL, sumIf(Errors, IsTool) / sumIf(Spans, IsTool)) AS `tool calls`
FROM agent_activity
WHERE (IsCall OR IsTool) AND Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
  AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
  AND $__conditionalAll(IsTool OR clean(Model) = decodeURLComponent('${model:percentencode}'), $model)
GROUP BY time
ORDER BY time
SETTINGS $__adHocFilters('agent_activity')
