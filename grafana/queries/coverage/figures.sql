-- What is seen and what is not, in one row.
SELECT
  seen.Agents AS agents,
  lacking.Agents AS `agents with missing content`,
  lacking.User / nullIf(seen.Spans, 0) AS `spans without a user`,
  lacking.Conversation / nullIf(seen.Spans, 0) AS `spans without a conversation`,
  seen.Services AS `services without agents`,
  lacking.Outside AS `calls outside a sandbox`
FROM (
  SELECT uniqExactIf(Agent, IsAgent) AS Agents, sumIf(Told, IsAgent) AS Spans,
    uniqExact(ServiceName) - uniqExactIf(ServiceName, IsAgent) AS Services
  FROM (
    SELECT Agent, ServiceName, OperationName != '' AS IsAgent, sum(Spans) AS Told
    FROM agent_activity
    WHERE Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
      AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
    GROUP BY Agent, ServiceName, IsAgent
  )
) AS seen
CROSS JOIN (
  SELECT uniqExactIf(Agent, Kind = 'missing_content') AS Agents,
    sumIf(Spans, Kind = 'missing_identity' AND Value = 'user') AS User,
    sumIf(Spans, Kind = 'missing_identity' AND Value = 'conversation') AS Conversation,
    sumIf(Spans, Kind = 'sandbox' AND Value IN ('none', 'disabled')) AS Outside
  FROM agent_values
  WHERE Kind IN ('missing_content', 'missing_identity', 'sandbox') AND Time >= toStartOfHour($__fromTime) AND Time <= $__toTime
    AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
) AS lacking
SETTINGS $__adHocFilters('agent_values')
