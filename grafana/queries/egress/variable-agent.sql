-- Agents that named a domain outside in the time range.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT DISTINCT clean(Agent) AS Name
FROM agent_values
WHERE Kind = 'external_domain' AND Time >= toStartOfHour($__fromTime) AND Time <= $__toTime
  AND Agent != ''
ORDER BY Name
LIMIT 1000
