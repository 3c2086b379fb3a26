-- Agents that run commands or install something, and what they say of the sandbox they do it in.
WITH text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  Agent,
  multiIf(sumIf(Spans, Kind = 'sandbox' AND Value IN ('none', 'disabled')) > 0, 'outside a sandbox',
    sumIf(Spans, Kind = 'sandbox') > 0, 'in a sandbox', 'tells nothing') AS Verdict,
  sumIf(Spans, Kind = 'effect') AS `Calls that execute`,
  sumIf(Spans, Kind = 'sandbox' AND Value NOT IN ('none', 'disabled')) AS Inside,
  sumIf(Spans, Kind = 'sandbox' AND Value IN ('none', 'disabled')) AS Outside,
  arrayStringConcat(arraySlice(arraySort(groupUniqArrayIf(20)(clean(Value), Kind = 'sandbox')), 1, 5), ', ') AS `In its words`,
  max(LastSeen) AS `Last seen`,
  argMaxMerge(LastTraceId) AS TraceId
FROM agent_values
WHERE (Kind = 'sandbox' OR (Kind = 'effect' AND Value IN ('execute', 'install')))
  AND Time >= toStartOfHour($__fromTime) AND Time <= $__toTime
  AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
GROUP BY Agent
ORDER BY indexOf(['outside a sandbox', 'tells nothing', 'in a sandbox'], Verdict), Outside DESC, `Calls that execute` DESC, Agent
LIMIT 300
SETTINGS $__adHocFilters('agent_values')
