-- Agents with findings in the time range. An agent without a name goes by its service.
WITH text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT DISTINCT clean(if(AgentName = '', ServiceName, AgentName)) AS Name
FROM findings
WHERE $__timeFilter_ms(Timestamp)
  AND Name != ''
ORDER BY Name
LIMIT 1000
