-- What each rule was asked in each hour, and its matches by agent.
INSERT INTO rule_stats (Hour, RuleId, RuleVersion, AgentName, FilterId, Spans, Candidates, Matches, Findings, Suppressed, Errors,
  SampledSpans, SampledNanos, LastMatch)
WITH
  intDiv(number, 24 * {days:UInt64}) AS rule,
  number % (24 * {days:UInt64}) AS hour,
  toDateTime(intDiv({start:UInt64}, 3600) * 3600 + hour * 3600) AS at,
  sipHash64(number) AS r,
  {rules:Array(String)}[rule + 1] AS id,
  concat('v', toString(if(hour > 12 * {days:UInt64}, 2, 1))) AS version,
  rule % 11 != 10 AS may_fire,
  arrayJoin(range(if(may_fire AND r % 3 = 0, 4, 1))) AS kind
SELECT
  at,
  id,
  version,
  if(kind IN (1, 2), {agents:Array(String)}[(r + kind) % length({agents:Array(String)}) + 1], ''),
  if(kind = 3, concat('filter-', toString(rule % 7)), ''),
  if(kind = 0, 10000 + r % 4000, 0),
  if(kind = 0, r % 900, 0),
  if(kind IN (1, 2), 1 + r % 3, 0),
  if(kind IN (1, 2), 1, 0),
  if(kind = 3, r % 5, 0),
  if(kind = 0 AND r % 5000 = 0, 1, 0),
  if(kind = 0, 40, 0),
  if(kind = 0, 40 * (800 + rule * 90 + r % 500), 0),
  if(kind IN (1, 2), toDateTime64(at, 9), toDateTime64(0, 9))
FROM numbers(length({rules:Array(String)}) * 24 * {days:UInt64})
