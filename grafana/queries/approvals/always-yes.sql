-- Tools that people were asked about ten times or more and never said no to. With findings on the same tool of the same agent first: there
-- somebody should have looked. Then the most asked: there a rule in place of the question saves the attention.
WITH
-- include approvals/decisions
  , fired AS (
    SELECT leftUTF8(replaceRegexpAll(if(AgentName = '', toString(ServiceName), toString(AgentName)), '[\\p{Cc}\\p{Cf}]', ' '), 200) AS Agent,
      leftUTF8(replaceRegexpAll(toString(ToolName), '[\\p{Cc}\\p{Cf}]', ' '), 200) AS Tool, sum(Found) AS Findings, sum(Bad) AS Severe
    FROM (
      SELECT AgentName, ServiceName, ToolName, count() AS Found, countIf(Severity >= 4) AS Bad
      FROM findings FINAL
      WHERE $__timeFilter_ms(Timestamp) AND ToolName != ''
      GROUP BY AgentName, ServiceName, ToolName
    )
    GROUP BY Agent, Tool
  )
SELECT
  asked.Agent AS Agent,
  asked.Tool AS Tool,
  asked.Yes AS `Yes of people`,
  asked.Yes / asked.Days AS `On a day`,
  fired.Severe AS Severe,
  fired.Findings AS Findings,
  asked.Newest AS `Last seen`,
  asked.TraceId AS TraceId
FROM (
  SELECT Agent, Tool, sumIf(Told, Decider = 'a person') AS Yes, sumIf(Told, Decider = 'a person' AND IsDenied) AS No,
    greatest(length(arrayDistinct(arrayFlatten(groupArrayIf(Days, Decider = 'a person')))), 1) AS Days, max(Seen) AS Newest,
    argMax(Trace, Seen) AS TraceId
  FROM (SELECT Agent, Tool, Told, Decider, IsDenied, Days, Seen, Trace FROM decisions)
  GROUP BY Agent, Tool
  HAVING Yes >= 10 AND No = 0
) AS asked
LEFT JOIN fired ON fired.Agent = asked.Agent AND fired.Tool = asked.Tool
ORDER BY Severe DESC, Findings DESC, `Yes of people` DESC, Agent, Tool
LIMIT 100
SETTINGS $__adHocFilters('agent_values')
