-- How much went out: one row. A domain is new when no span named it before this time range, within what is kept.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  uniqExact(Value) AS domains,
  uniqExactIf(Value, Value NOT IN (
    SELECT Value FROM agent_values WHERE Kind = 'external_domain' AND Time < toStartOfHour($__fromTime))) AS `new domains`,
  sum(Spans) AS calls,
  sum(Bytes) AS `bytes sent`,
  uniqExactIf(Value, Detail != '') AS `domains with sensitive data`,
  sumIf(Spans, Detail != '') AS `sensitive calls`,
  uniqExactIf(Agent, Detail != '') AS `agents that sent it`
FROM agent_values
WHERE Kind = 'external_domain' AND Time >= toStartOfHour($__fromTime) AND Time <= $__toTime
  AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
  AND $__conditionalAll(clean(Value) = decodeURLComponent('${domain:percentencode}'), $domain)
SETTINGS $__adHocFilters('agent_values')
