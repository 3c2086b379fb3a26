-- Agents that did something or have findings in this time range, the busiest first. An agent without a name goes by its service.
WITH text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT Name
FROM (
  SELECT clean(Agent) AS Name, sum(Spans) AS Weight
  FROM agent_activity
  WHERE Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
    AND OperationName != ''
  GROUP BY Name
  UNION ALL
  SELECT clean(if(AgentName = '', ServiceName, AgentName)) AS Name, 0 AS Weight
  FROM findings
  WHERE $__timeFilter_ms(Timestamp)
  GROUP BY Name
)
WHERE Name != ''
GROUP BY Name
ORDER BY max(Weight) DESC, Name
LIMIT 1000
