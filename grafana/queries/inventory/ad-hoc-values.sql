-- What the ad hoc filters offer: columns of agent_activity and the values they hold.
SELECT DISTINCT Agent, ServiceName, OperationName, ToolName, Model, McpMethod, ServerAddress, Decision
FROM agent_activity
ORDER BY Agent, ToolName
LIMIT 1000
