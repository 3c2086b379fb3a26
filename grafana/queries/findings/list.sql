-- The newest findings with what made each rule match. TraceId keeps its name: by it the data source knows where to offer
-- View trace. Texts are bounded and lose control and formatting characters, which could reverse or hide what follows.
WITH text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  Timestamp AS Time,
  Level,
  RuleTitle AS Finding,
  clean(if(AgentName = '', ServiceName, AgentName)) AS Agent,
  clean(ToolName) AS Tool,
  leftUTF8(replaceRegexpAll(Reason, '[\\p{Cc}\\p{Cf}]', ' '), 500) AS Why,
-- include shared/evidence
  Count AS Times,
  mark.Newest AS Marked,
  TraceId,
  clean(SessionId) AS Session,
  clean(SpanName) AS Span,
  clean(ConversationId) AS Conversation,
  clean(UserId) AS User,
  clean(RuleId) AS `Rule id`,
  FindingId
FROM findings FINAL
LEFT JOIN (
  SELECT FindingId, toString(argMax(Disposition, MarkedAt)) AS Newest
  FROM finding_marks
  GROUP BY FindingId
) AS mark USING (FindingId)
WHERE $__timeFilter_ms(Timestamp)
  AND Severity >= toUInt8OrZero('${severity:percentencode}')
  AND $__conditionalAll(clean(RuleId) = decodeURLComponent('${rule:percentencode}'), $rule)
  AND $__conditionalAll(clean(if(AgentName = '', ServiceName, AgentName)) = decodeURLComponent('${agent:percentencode}'), $agent)
  AND $__conditionalAll(clean(ToolName) = decodeURLComponent('${tool:percentencode}'), $tool)
ORDER BY Time DESC, FindingId
LIMIT 500
SETTINGS $__adHocFilters('findings')
