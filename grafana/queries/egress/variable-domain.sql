-- Domains outside that were named in the time range.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT DISTINCT clean(Value) AS Name
FROM agent_values
WHERE Kind = 'external_domain' AND Time >= toStartOfHour($__fromTime) AND Time <= $__toTime
ORDER BY Name
LIMIT 1000
