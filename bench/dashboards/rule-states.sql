INSERT INTO rule_states (RuleId, RuleName, RuleTitle, RuleVersion, FormerIds, Level, State, Reason, At)
SELECT
  {rules:Array(String)}[number + 1],
  {rules:Array(String)}[number + 1],
  concat('Rule ', {rules:Array(String)}[number + 1]),
  'v2',
  [],
  ['informational', 'low', 'medium', 'high', 'critical'][number % 5 + 1],
  if(number % 40 = 39, 'disabled', 'active'),
  if(number % 40 = 39, 'took 9 ms on a span', ''),
  now64(3) - toIntervalDay(number % 20)
FROM numbers(length({rules:Array(String)}))
