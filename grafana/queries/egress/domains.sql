-- Domains outside that calls named in this time range: those that are new first, then those that secrets or personal data went to.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  clean(used.Value) AS Domain,
  if(known.First >= $__fromTime_ms, 'new', 'known') AS State,
  used.Calls AS Calls,
  used.Sent AS Bytes,
  clean(arrayStringConcat(arraySort(used.Sensitive), ', ')) AS `Secrets and personal data`,
  clean(arrayStringConcat(arraySort(used.Agents), ', ')) AS Agents,
  clean(arrayStringConcat(arraySort(used.Tools), ', ')) AS Tools,
  known.First AS `First seen`,
  used.Newest AS `Last seen`,
  known.Trace AS `First trace`,
  used.Trace AS TraceId
FROM (
  SELECT
    Value, sum(Spans) AS Calls, sum(Bytes) AS Sent, groupUniqArray(10)(toString(Agent)) AS Agents,
    groupUniqArray(10)(toString(ToolName)) AS Tools,
    groupUniqArrayArray(20)(splitByChar(',', Detail, 20)) AS Sensitive, max(LastSeen) AS Newest, argMaxMerge(LastTraceId) AS Trace
  FROM agent_values
  WHERE Kind = 'external_domain' AND Time >= toStartOfHour($__fromTime) AND Time <= $__toTime
    AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
    AND $__conditionalAll(clean(Value) = decodeURLComponent('${domain:percentencode}'), $domain)
  GROUP BY Value
) AS used
LEFT JOIN (
  SELECT Value, min(FirstSeen) AS First, argMinMerge(FirstTraceId) AS Trace
  FROM agent_values WHERE Kind = 'external_domain' GROUP BY Value
) AS known ON known.Value = used.Value
ORDER BY State = 'new' DESC, `Secrets and personal data` != '' DESC, Bytes DESC, Calls DESC, Domain
LIMIT 500
SETTINGS $__adHocFilters('agent_values')
