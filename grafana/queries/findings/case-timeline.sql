-- Findings of the chosen case in order, the worst 64 of them, each with the session it is of.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean,
  (
    SELECT any(if(MergedInto = '', CaseId, MergedInto))
    FROM cases FINAL
    WHERE CaseId = decodeURLComponent('${case_id:percentencode}')
  ) AS case_id
SELECT
  step.Moment AS Time,
  toString(step.Severity) AS Level,
  clean(step.Title) AS Finding,
  clean(step.Agent) AS Agent,
  clean(if(step.Tool = '', step.Span, step.Tool)) AS `On`,
  leftUTF8(replaceRegexpAll(step.Matched, '[\\p{Cc}\\p{Cf}]', ' '), 500) AS `What matched`,
  step.Times AS Times,
  clean(found.SessionId) AS Session,
  step.Trace AS TraceId
FROM (
  SELECT
    Timeline.FindingId AS Id, Timeline.Timestamp AS Moment, Timeline.Level AS Severity, Timeline.RuleTitle AS Title,
    Timeline.AgentName AS Agent, Timeline.ToolName AS Tool, Timeline.SpanName AS Span, Timeline.Shown AS Matched,
    Timeline.Count AS Times, Timeline.TraceId AS Trace
  FROM cases FINAL
  ARRAY JOIN Timeline
  WHERE CaseId = case_id
) AS step
LEFT JOIN (
  SELECT FindingId, any(SessionId) AS SessionId
  FROM findings
  WHERE FindingId IN (SELECT arrayJoin(Timeline.FindingId) FROM cases FINAL WHERE CaseId = case_id)
  GROUP BY FindingId
) AS found ON found.FindingId = step.Id
ORDER BY Time, Finding
LIMIT 100
SETTINGS $__adHocFilters('findings')
