-- Open cases of each level, and since when the oldest of them waits. Whatever the time range: an open case waits until it is closed.
WITH text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  countIf(Level = 'critical') AS critical,
  countIf(Level = 'high') AS high,
  countIf(Level = 'medium') AS medium,
  if(count() = 0, NULL, min(FirstSeen)) AS oldest
FROM case_list
WHERE Status = 'open'
  AND $__conditionalAll(arrayExists(agent -> clean(agent) = decodeURLComponent('${agent:percentencode}'), Agents), $agent)
SETTINGS $__adHocFilters('cases')
