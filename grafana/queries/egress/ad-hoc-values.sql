-- What the ad hoc filters offer: columns of agent_values and the values that the last seven days hold.
SELECT DISTINCT Agent, ToolName, Value, Detail
FROM agent_values
WHERE Time > now() - INTERVAL 7 DAY AND Kind IN ('external_domain', 'host_class', 'outgoing_secret', 'outgoing_pii')
ORDER BY Agent, ToolName
LIMIT 1000
