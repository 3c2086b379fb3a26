INSERT INTO seen_fields (Day, Category, Field, LastSeen)
SELECT
  toDate({start:UInt64} + intDiv(number, 600) * 86400) AS Day,
  ['llm', 'tool', 'agent', 'mcp', 'http', 'resource'][number % 6 + 1],
  concat('field.', toString(intDiv(number, 6) % 100)),
  toDateTime(Day) + 3600
FROM numbers({days:UInt64} * 600)
