-- External domains the agent reached in this time range, what was sent there, and since when it has been reaching them at all.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean,
  names AS (SELECT DISTINCT Agent FROM session_activity WHERE Agent = decodeURLComponent('${agent:percentencode}')),
  known AS (
    SELECT Value, min(FirstSeen) AS Seen
    FROM agent_values
    WHERE Kind = 'external_domain'
      AND Agent IN (SELECT Agent FROM names)
    GROUP BY Value
  )
SELECT
  clean(Value) AS Domain,
  if(any(known.Seen) >= $__fromTime_ms, 'new', '') AS New,
  sum(Spans) AS Calls,
  sum(Bytes) AS Sent,
  clean(arrayStringConcat(arraySort(groupUniqArrayIf(10)(Detail, Detail != '')), ', ')) AS `Secrets and personal data`,
  clean(arrayStringConcat(arraySort(groupUniqArrayIf(5)(toString(ToolName), ToolName != '')), ', ')) AS Tools,
  any(known.Seen) AS `First seen`,
  max(LastSeen) AS `Last seen`,
  argMaxMerge(LastTraceId) AS TraceId
FROM agent_values
INNER JOIN known USING (Value)
WHERE Kind = 'external_domain'
  AND Agent IN (SELECT Agent FROM names)
  AND Time >= toStartOfHour($__fromTime) AND Time <= $__toTime
GROUP BY Value
ORDER BY New DESC, `Secrets and personal data` != '' DESC, Calls DESC, Domain
LIMIT 200
SETTINGS $__adHocFilters('agent_values')
