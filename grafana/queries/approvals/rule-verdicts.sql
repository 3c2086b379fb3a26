-- Findings of rules that ask for more than an alert: a person's approval, or that the call is blocked. With whether the agent told a decision
-- on that tool in the same hour or the one before.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean,
  found AS (
    SELECT *, toStartOfHour(Timestamp) AS Hour, clean(if(AgentName = '', toString(ServiceName), toString(AgentName))) AS Agent,
      clean(toString(ToolName)) AS Tool
    FROM (
      SELECT Timestamp, Level, Response, RuleTitle, AgentName, ServiceName, ToolName, Count, TraceId, RuleId, FindingId
      FROM findings FINAL
      WHERE $__timeFilter_ms(Timestamp) AND Response IN ('approve', 'block')
        AND $__conditionalAll(clean(if(AgentName = '', toString(ServiceName), toString(AgentName))) = decodeURLComponent('${agent:percentencode}'), $agent)
      ORDER BY Timestamp DESC, FindingId
      LIMIT 200
    )
  ),
  told AS (
    SELECT arrayJoin([toDateTime(Time), toDateTime(Time) + 3600]) AS Hour, toString(Agent) AS Agent, toString(ToolName) AS Tool, sumIf(Spans, Value = 'denied') AS Denied,
      sumIf(Spans, Value != 'denied') AS Approved
    FROM agent_values
    WHERE Kind IN ('decision', 'logged_decision') AND Agent IN (SELECT Agent FROM found) AND Time IN (SELECT arrayJoin([Hour, Hour - 3600]) FROM found)
    GROUP BY Hour, Agent, Tool
  )
SELECT
  found.Timestamp AS Time,
  found.Level AS Level,
  toString(found.Response) AS `Rule says`,
  found.RuleTitle AS Finding,
  found.Agent AS Agent,
  found.Tool AS Tool,
  multiIf(told.Denied > 0 AND told.Approved > 0, 'approved and denied', told.Denied > 0, 'denied', told.Approved > 0, 'approved', 'not told')
    AS `Agent told then`,
  found.Count AS Times,
  found.TraceId AS TraceId,
  clean(found.RuleId) AS `Rule id`,
  found.FindingId AS FindingId
FROM found
LEFT JOIN told ON told.Hour = found.Hour AND told.Agent = found.Agent AND told.Tool = found.Tool
ORDER BY Time DESC, FindingId
SETTINGS $__adHocFilters('findings')
