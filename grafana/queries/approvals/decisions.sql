-- Decisions on tool calls as agents told them, in the time range: `decisions`, from which whoever includes it goes on. An agent may tell a
-- decision in a span and in a log record: of each agent the way counts by which it told more, and more with the name of a tool. What begins
-- with user is a person; other words are those of settings and hooks.
  decisions AS (
    SELECT * FROM (
      SELECT *, max(Weight) OVER (PARTITION BY Agent) AS Most FROM (
        SELECT Agent, Kind, ToolName AS Tool, Value = 'denied' AS IsDenied, leftUTF8(replaceRegexpAll(Detail, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS Source,
          multiIf(Detail = '', 'not told', startsWith(lower(Detail), 'user'), 'a person', Detail ILIKE '%hook%', 'a hook', 'configuration')
            AS Decider,
          sum(Spans) AS Told, max(LastSeen) AS Seen, groupUniqArray(toDate(Time)) AS Days, argMaxMerge(LastTraceId) AS Trace,
          (sum(if(Tool = '', 0, Told)) OVER (PARTITION BY Agent, Kind), sum(Told) OVER (PARTITION BY Agent, Kind), Kind) AS Weight
        FROM agent_values
        WHERE Kind IN ('decision', 'logged_decision')
          AND Time >= toStartOfHour($__fromTime) AND Time <= $__toTime
          AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
        GROUP BY Agent, Kind, ToolName, Value, Detail
      )
    ) WHERE Weight = Most
  )
