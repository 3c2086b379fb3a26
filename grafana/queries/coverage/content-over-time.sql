-- Spans per interval that lack each kind of content. A step up after an update of an agent is a setting that was lost.
SELECT
  $__timeInterval(Time) AS time,
  sumIf(Spans, Value = 'input_messages') AS input,
  sumIf(Spans, Value = 'output_messages') AS output,
  sumIf(Spans, Value = 'tool_name') AS `tool name`,
  sumIf(Spans, Value = 'tool_arguments') AS arguments,
  sumIf(Spans, Value = 'tool_result') AS result,
  sumIf(Spans, Value = 'documents') AS documents
FROM agent_values
WHERE Kind = 'missing_content'
  AND Time >= toStartOfHour($__fromTime) AND Time <= $__toTime
  AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
GROUP BY time
ORDER BY time
SETTINGS $__adHocFilters('agent_values')
