-- What the ad hoc filters offer: the columns here and the values they hold in the newest findings.
SELECT Level, RuleId, RuleTitle, ServiceName, AgentName, ToolName, ConversationId, SessionId, UserId
FROM findings
ORDER BY Timestamp DESC
LIMIT 1000
