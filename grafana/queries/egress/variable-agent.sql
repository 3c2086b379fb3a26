-- Agents that named a domain outside in the time range.
SELECT DISTINCT Agent AS Name
FROM agent_values
WHERE Kind = 'external_domain' AND Time >= toStartOfHour($__fromTime) AND Time <= $__toTime
  AND Agent != ''
ORDER BY Name
LIMIT 1000
