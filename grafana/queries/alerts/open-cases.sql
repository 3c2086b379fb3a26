-- Open cases of one level that something happened in within a day, each a series of its own. By the time of insertion, so that spans
-- that come late raise it, too. No names of agents and no headline: they change, and a changed label is another alert.
SELECT CaseId AS `case`, toFloat64(Findings) AS value
FROM case_list
WHERE Status = 'open' AND Level = '{{level}}' AND InsertedAt > now() - INTERVAL 1 DAY
ORDER BY InsertedAt DESC
LIMIT 100
