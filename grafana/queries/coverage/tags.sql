-- OWASP and MITRE ATLAS by the rules that are for each: those that are shipped, those that run, those that found something in the time range.
-- Tags of rules of your own do not stand in the database; they are here when one of these rules found something.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean,
  shipped AS (
-- include coverage/rule-tags
  ),
  running AS (SELECT RuleId FROM rule_states FINAL WHERE State = 'active' AND RuleId != ''),
  fired AS (
    SELECT toString(tag) AS Tag, uniqExact(RuleId) AS Rules, count() AS Findings, countIf(Severity >= 4) AS Severe, max(Timestamp) AS LastSeen
    FROM findings FINAL ARRAY JOIN Tags AS tag
    WHERE $__timeFilter_ms(Timestamp)
      AND $__conditionalAll(clean(if(AgentName = '', toString(ServiceName), toString(AgentName))) = decodeURLComponent('${agent:percentencode}'), $agent)
    GROUP BY Tag
  )
SELECT
  clean(every.Tag) AS Tag,
  multiIf(fired.Findings > 0, 'fires', known.Running > 0, 'quiet', known.Shipped > 0, 'no rule runs', 'of other rules') AS Verdict,
  known.Shipped AS `Rules shipped`,
  known.Running AS `Of these run`,
  fired.Rules AS `Rules that fired`,
  fired.Findings AS Findings,
  fired.Severe AS Severe,
  if(fired.Findings = 0, NULL, fired.LastSeen) AS `Last seen`
FROM (SELECT Tag FROM shipped UNION DISTINCT SELECT Tag FROM fired) AS every
LEFT JOIN (SELECT Tag, count() AS Shipped, countIf(RuleId IN (SELECT RuleId FROM running)) AS Running FROM shipped GROUP BY Tag) AS known
  ON known.Tag = every.Tag
LEFT JOIN fired ON fired.Tag = every.Tag
WHERE fired.Findings > 0 OR (SELECT count() FROM running) > 0
ORDER BY indexOf(['no rule runs', 'quiet', 'fires', 'of other rules'], Verdict), Tag
LIMIT 500
SETTINGS $__adHocFilters('findings')
