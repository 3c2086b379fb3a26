-- For other queries: the 40 most used ways from an agent over a tool to a domain.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean,
  paths AS (
    SELECT
      Agent, if(ToolName = '', 'no tool', ToolName) AS Tool, clean(Value) AS Domain, sum(Spans) AS Calls,
      sum(agent_values.Bytes) AS Sent, max(Detail != '') AS IsSensitive
    FROM agent_values
    WHERE Kind = 'external_domain' AND Time >= toStartOfHour($__fromTime) AND Time <= $__toTime
      AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
      AND $__conditionalAll(clean(Value) = decodeURLComponent('${domain:percentencode}'), $domain)
    GROUP BY agent_values.Agent, ToolName, Value
    ORDER BY IsSensitive DESC, Sent DESC, Calls DESC, Agent, Tool, Domain
    LIMIT 40
  )
