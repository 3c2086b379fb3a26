-- What the ad hoc filters offer: columns of agent_activity and the values that the last seven days hold.
SELECT DISTINCT Agent, ServiceName, OperationName, ToolName, Model, McpMethod, ServerAddress, Decision
FROM agent_activity
WHERE Time > now() - INTERVAL 7 DAY
ORDER BY Agent, ToolName
LIMIT 1000
